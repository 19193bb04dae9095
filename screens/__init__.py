"""Faces: what people at the line see."""
