"""Trading of a live run at a broker over the network."""
