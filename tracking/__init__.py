"""Serial units through their stages."""
