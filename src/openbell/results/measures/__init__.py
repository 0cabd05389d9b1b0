"""Measures of a run that trades, such as its return and risk."""
