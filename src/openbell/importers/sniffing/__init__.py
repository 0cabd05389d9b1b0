"""Sniffing of a file for the way in which it is to be imported."""
