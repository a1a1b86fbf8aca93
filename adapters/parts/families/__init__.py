"""Whole models but for what each has of its own: `composed`, and two families of authors' layouts."""
