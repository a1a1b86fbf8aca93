"""What there is to work with, in seconds and without torch: extras, keys, GPUs, space, data, videos, weights.

`examining.examine` returns an `Examination`, which also says which command to type next. No video is decoded.
"""
