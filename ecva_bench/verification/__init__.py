"""Verification: whether answers and scores are what they say, by the data set, by their keys, and by scoring again."""
