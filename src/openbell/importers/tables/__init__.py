"""Tables of bars, whatever kind of file they come from."""
