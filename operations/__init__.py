"""Keeping the plant alive: backups that are proved, and how one is restored."""
