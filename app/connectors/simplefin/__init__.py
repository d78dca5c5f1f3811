"""SimpleFIN: a person's own read-only access to their banks, handed on by a token."""
