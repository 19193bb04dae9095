"""Scripts that are run by name."""
