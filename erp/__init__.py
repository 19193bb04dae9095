"""The ERP and other systems: what they are told, what they send, and how that goes."""
