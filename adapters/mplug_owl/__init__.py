"""mPLUG-Owl: its vision transformer, its abstractor, and BLOOM below."""
