"""Tests of the materials app."""
