"""Work on the floor: what was done on operations, when, at which machine, and what came of it."""
