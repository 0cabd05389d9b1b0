"""A strategy and a scanner to read, run and copy."""
