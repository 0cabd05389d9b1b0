"""Feed of Alpaca, with live bars from its stream and history through the package alpaca-py."""
