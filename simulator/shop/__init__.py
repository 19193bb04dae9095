"""A job shop: many small orders that go from machine to machine. Pure apart from `setup`, `doing` and `life`."""
