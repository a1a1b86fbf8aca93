"""A language model without the video, as `blind:ID`."""
