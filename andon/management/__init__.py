"""Commands of the andon app."""
