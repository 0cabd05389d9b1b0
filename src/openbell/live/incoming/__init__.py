"""Bars and events of a feed, on their way to the session."""
