"""Knowledge: OEE, its elements and losses."""
