"""Feeds of live bars, and the time that passes between their messages."""
