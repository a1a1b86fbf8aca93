"""Scripts that measure us against an alternative, side by side in one run; figures in README.md."""
