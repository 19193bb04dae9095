"""Facts: what machines counted."""
