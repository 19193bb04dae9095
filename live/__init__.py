"""The one push path to browsers."""
