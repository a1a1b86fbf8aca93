"""What two or more models share.

`options`, `prompts` and `language.policy` import no torch: a model's module can use them at its top; the others are
imported inside a model's methods.
"""
