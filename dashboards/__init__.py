"""Dashboards that an engineer composes: which tiles, of what, for whom. What fills them stands in `screens.tiles`."""
