"""The class an answer names: `reader` decides over the `places` that name one (`names`), by what is said (`cues`)."""
