"""The audit of answers: whether they are the model's own, depend on the video, and leave the judge alone."""
