"""Tables of bars, read from files of any kind."""
