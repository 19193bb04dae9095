"""Replay logs of real machines through the one write path: read, map, prepare, deliver."""
