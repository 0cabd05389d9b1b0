"""Report of a run as one HTML page."""

from openbell.pages.report.report_page import run_report

__all__ = ["run_report"]
