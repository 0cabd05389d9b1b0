"""Sessions of a live run, played time by time."""
