"""Commands of the materials app."""
