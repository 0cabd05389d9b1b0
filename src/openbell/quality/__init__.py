"""Checks of stored bars: what is missing, misplaced, contradictory or unlikely, how sure that is, and a score.

Each kind of finding is a pure function of its own; `check_store` runs them all over a store.
"""

from openbell.quality.checker import check_store
from openbell.quality.finding import KINDS, Finding, Severity
from openbell.quality.report import Report, SeriesReport

__all__ = ["KINDS", "Finding", "Report", "SeriesReport", "Severity", "check_store"]
