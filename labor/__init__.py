"""Labour: who works here, what they can do, when they were there, and what they worked on."""
