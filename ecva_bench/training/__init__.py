"""Training of models whose networks an adapter gives: from conversations about videos to a folder that `run` takes.

`conversations` are what is learned from; importing this package imports no torch.
"""
