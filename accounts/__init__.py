"""Who: people, roles by site, device and client keys."""
