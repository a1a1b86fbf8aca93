"""Intervals, paired comparisons, agreement and rank correlation. Works on plain numbers.

Callers know what the numbers mean, and record the seed.
"""
