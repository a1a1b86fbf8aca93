"""LLaMA-VID: two kinds of tokens for each frame."""
