"""Feeds of live bars, and the arrival of their events over time."""
