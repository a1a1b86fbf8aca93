"""An audit of data sets: what rules that never look reach, and what is wrong with keys, times, texts and splits."""
