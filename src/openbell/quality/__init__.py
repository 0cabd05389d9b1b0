"""Checks of stored bars, and the score that they come to.

They look for what is missing, misplaced, contradictory or unlikely, and with which certainty. Each kind of finding is a
pure function of its own; `openbell.quality.checker.check_store` runs them all over a store.
"""
