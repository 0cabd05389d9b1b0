"""Importers: each reads one kind of source into a store, and reports what it did."""

from __future__ import annotations

from openbell.importers.report import ImportedSeries, ImportReport

__all__ = ["ImportReport", "ImportedSeries"]
