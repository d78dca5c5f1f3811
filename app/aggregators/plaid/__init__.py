"""Plaid: the official SDK's requests, answers read raw, Hosted Link."""
