"""What believable companies do with their money: the same for the same login, day by day."""
