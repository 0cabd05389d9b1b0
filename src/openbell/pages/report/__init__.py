"""The report of a run as one HTML page."""

from openbell.pages.report.report import run_report

__all__ = ["run_report"]
