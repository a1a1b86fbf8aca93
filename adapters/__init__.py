"""The models. Add yours with one file, one entry-point line, one test.

A model is one file, `NAME.py`, or a folder with its class in `NAME/adapter.py` and beside it what this model alone
needs. What two or more models need lies in `parts`, in the room named after what it is: `towers`, `connectors`,
`language`, `media`, authors' `layouts` of weights, and whole `families` of models. No part imports a model, and a model
imports another one only where it is a variant of it (MovieLLM is LLaMA-VID with other weights).
"""
