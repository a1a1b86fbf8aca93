"""VideoChat2: the UMT tower, a Q-Former and Mistral."""
