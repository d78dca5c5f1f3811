"""Sources that no aggregator covers: one small protocol, one module per connector."""
