"""Trades, made of fills."""
