"""The schedule against what happened, what it needs, and where orders could go."""
