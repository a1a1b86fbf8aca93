"""Networks between tower and language model that two or more models have."""
