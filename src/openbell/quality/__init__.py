"""Checks of stored bars, and the score that follows from their findings.

They find bars that are missing, misplaced, contradictory or unlikely. Each kind of finding has a pure function of its
own; `openbell.quality.checker.check_store` runs all of them over a store.
"""
