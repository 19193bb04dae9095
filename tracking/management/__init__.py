"""Commands of serial units."""
