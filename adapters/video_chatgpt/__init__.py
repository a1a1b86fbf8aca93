"""Video-ChatGPT: CLIP's patches pooled over time and over space."""
