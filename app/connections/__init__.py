"""Bank connections: accounts, uploads of bank files, what is due."""
