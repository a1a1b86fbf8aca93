"""ST-LLM: EVA with a branch over time, a Q-Former, and a residual of all frames."""
