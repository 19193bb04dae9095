"""Prove that the numbers are right: the engine, the stored hours and the calendar against slow,
simple answers of their own.

`python -m proof` runs everything (`make prove`); docs/proof.md says what is compared with what.
"""
