"""Runs opened from their folders, to inspect any of their sessions."""

from openbell.inspection.opened_run import OpenedRun, open_run

__all__ = ["OpenedRun", "open_run"]
