"""LEAN's data folder."""
