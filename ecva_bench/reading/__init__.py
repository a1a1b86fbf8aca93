"""What is read out of texts that models write: a class, spans of time, a ranking, a verdict; and a thought left out.

Nothing else in the project reads these. Every reader says what it read, from which characters and by which rule.
"""
