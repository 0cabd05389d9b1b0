"""Brokers over the network, who carry out the orders of live sessions."""
