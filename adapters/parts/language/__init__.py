"""Language models: tokenizers, loading, LoRAs, and how an answer is generated."""
