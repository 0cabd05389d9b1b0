"""Sources of bars over the network."""
