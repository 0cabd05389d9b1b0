"""Bars of a store, read, cached, adjusted to a day, derived and measured."""
