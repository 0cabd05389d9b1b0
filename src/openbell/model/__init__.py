"""Bars, intervals and events as typed, frozen values."""
