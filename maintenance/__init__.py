"""Maintenance: what is due by time, run hours and cycles, requests from the floor, orders with spare parts,
life of tools.
"""
