"""The system's settings, with what would only cost tests time left out; the servers that tests start have them, too."""

from mes_project.settings import *  # noqa: F403

# What hashes passwords well takes its time, and thousands of tests make people.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Workers that tests start have other things to do.
BACKUP_EVERY_HOURS = 0.0
