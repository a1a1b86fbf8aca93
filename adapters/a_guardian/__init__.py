"""A-Guardian: Video-ChatGPT under CUVA's instructions, with more frames where a video is important."""
