"""Commands of batch records and audit trails."""
