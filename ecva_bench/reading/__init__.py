"""Rules that read an answer's text: a class, spans of time, a ranking, a judge's verdict; thoughts are left out.

This is the only place where texts are read. Every reader returns what it read, from which characters, by which rule.
"""
