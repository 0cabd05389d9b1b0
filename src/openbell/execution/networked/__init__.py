"""The broker over the network, as the trading desk sees it."""
