"""What several models share: weights, towers, connectors, language models, prompts, generation.

`card`, `files`, `policy` and `prompt` import no torch, so that a model's module can use them at its top; the others are
imported inside a model's methods.
"""
