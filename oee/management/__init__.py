"""Commands of the oee app."""
