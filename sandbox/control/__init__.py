"""The other side of the counter: what tests and people let happen at the banks."""
