"""Weights on disk, and networks filled from them."""
