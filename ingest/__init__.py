"""The one write path for devices."""
