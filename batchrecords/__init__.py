"""The electronic batch record: what happened to an order, reviewed by exception and signed."""
