"""Tests of importance curves."""
