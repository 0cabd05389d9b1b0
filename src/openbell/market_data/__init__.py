"""Bars of a store, read, cached, adjusted as of a day, derived and measured."""
