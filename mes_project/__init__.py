"""The composition root: settings, addresses, entrances."""
