"""Processes that run days or points of a sweep side by side."""
