"""Strategies and scanners, which users write, with their context and their loading."""
