"""What can be made, and how fast."""
