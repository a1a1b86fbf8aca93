"""AnomShield in small, trained by the project itself: its weights come with the package."""
