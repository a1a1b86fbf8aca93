"""The models: one module each. Add yours with one file, one entry-point line, one test."""
