"""VideoLLaMA2: the spatial-temporal convolution connector."""
