"""Feed of Alpaca, of live minutes by its stream and of history by its own package."""
