"""Checks of stored bars, and the score that they come to.

They look for what is missing, misplaced, contradictory or unlikely, and with which certainty. Each kind of finding is a
pure function of its own; `check_store` runs them all over a store.

Each kind of finding is a pure function of its own; `check_store` runs them all over a store.
"""

from openbell.quality.checker import check_store
from openbell.quality.finding import KINDS, Finding, Severity
from openbell.quality.report import Report, SeriesReport

__all__ = ["KINDS", "Finding", "Report", "SeriesReport", "Severity", "check_store"]
