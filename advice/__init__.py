"""Advice: what could be done better, why one thinks so, and whether that came true."""
