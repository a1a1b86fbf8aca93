"""Published tables, baselines and built pages, as data."""
