"""Parsing of times in files, and their conversion to UTC."""
