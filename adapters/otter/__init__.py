"""Otter: CLIP, a Perceiver resampler, and a language model with gated cross-attention."""
