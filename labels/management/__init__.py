"""Commands of the labels app."""
