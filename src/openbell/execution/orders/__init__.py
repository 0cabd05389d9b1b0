"""Orders, from what a strategy asks for to what goes to a broker."""
