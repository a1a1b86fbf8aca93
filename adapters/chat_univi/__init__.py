"""Chat-UniVi: LLaVA's layout with patches merged into clusters."""
