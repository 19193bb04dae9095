"""Commands of the ERP app."""
