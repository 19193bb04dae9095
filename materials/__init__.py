"""Materials: lots, where they are, what became of them, and what they were made of."""
