"""Any vision language model of transformers, with its own processor."""
