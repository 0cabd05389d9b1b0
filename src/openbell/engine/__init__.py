"""Runs sessions: the lifecycle of a day, the clock, and who is called when."""
