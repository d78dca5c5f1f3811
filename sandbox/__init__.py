"""A stand-in for the aggregators: their wire formats over HTTP, for development and tests."""
