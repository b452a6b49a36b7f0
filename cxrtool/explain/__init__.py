"""Where a network looks and what it represents: heat maps, features, probes."""
