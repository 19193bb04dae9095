"""Calls for help at machines: who called for what, who came and when, and who has to know when nobody does."""
