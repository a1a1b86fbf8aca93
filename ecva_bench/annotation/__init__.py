"""Annotation by people: who annotates what, in which tool's files, how far they agree, and what is settled.

Everything is read from and appended to one file of acts (`records.acts`), in which nothing is changed afterwards.
"""
