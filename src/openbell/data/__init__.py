"""Bars: the store that keeps them, the importers that fill it, and the DataManager that serves them by session."""
