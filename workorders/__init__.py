"""Intent and its execution: orders, schedule, runs."""
