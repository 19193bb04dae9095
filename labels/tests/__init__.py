"""Tests of the labels app."""
