"""VILA: SigLIP, a projector that takes patches by fours, and Llama 3."""
