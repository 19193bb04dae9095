"""Tests of the maintenance app."""
