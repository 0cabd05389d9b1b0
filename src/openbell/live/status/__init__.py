"""Status of a live run, for people and programs outside of it."""
