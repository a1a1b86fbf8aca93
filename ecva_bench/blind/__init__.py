"""Blind rules: answers to questions about a video that nobody looked at. Works on texts, options and names.

What such a rule reaches, a model may reach without the video. A rule that was chosen on the data is `learnt`: it is
made on some videos and scored on the others.
"""
