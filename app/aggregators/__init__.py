"""Aggregators of bank data: one small contract, one folder per provider."""
