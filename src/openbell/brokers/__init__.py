"""Brokers over the network, which execute the orders of live sessions."""
