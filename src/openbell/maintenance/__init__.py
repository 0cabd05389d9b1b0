"""Verification, repair and copy of a store."""
