"""Tests of the advice app."""
