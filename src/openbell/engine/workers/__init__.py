"""Processes that carry out days and points side by side."""
