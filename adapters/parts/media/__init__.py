"""Frames as models are shown them: resized, normalised, or as pictures in a message."""
