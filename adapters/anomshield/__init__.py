"""AnomShield, the paper's own model: its Mamba connector, the kernels that run it, and the hard prompt."""
