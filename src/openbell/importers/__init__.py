"""Importers, each of which reads one kind of source into a store and reports the result."""

from __future__ import annotations

from openbell.importers.import_report import ImportedSeries, ImportReport

__all__ = ["ImportReport", "ImportedSeries"]
