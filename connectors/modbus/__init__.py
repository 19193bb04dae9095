"""Modbus TCP: registers, asked for at intervals."""
