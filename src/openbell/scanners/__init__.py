"""Scanners look through a universe of symbols before the open and in the session; derive yours from `Scanner`."""

from openbell.scanners.base import Scanner, ScannerContext

__all__ = ["Scanner", "ScannerContext"]
