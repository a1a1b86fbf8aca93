"""Weights: where they lie, which files are read, and networks filled from them with no name missing and none left over.

Adapters, metrics and the local judge all load through here. What is wrong with weights is a `CheckpointError`.
Importing this package, `files` or `check` imports no torch.
"""
