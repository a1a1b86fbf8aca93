"""Vision towers that two or more models have."""
