"""Sweeps, which run a session at many points of a space of values."""
