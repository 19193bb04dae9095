"""Machines' own protocols: each connector translates one of them to items and hands these to `ingest`."""
