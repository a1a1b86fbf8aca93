"""Video-LLaVA: LanguageBind's video tower before LLaVA's projector."""
