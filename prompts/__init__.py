"""Task and judge prompts as versioned text files. A published prompt is never edited; a change is a new version."""
