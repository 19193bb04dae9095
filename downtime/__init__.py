"""Facts: what state machines were in, and why."""
