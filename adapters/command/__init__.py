"""A program of the user's own in another environment, spoken to in lines."""
