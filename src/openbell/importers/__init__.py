"""Importers that read one kind of source into a store and report the result."""

from __future__ import annotations

from openbell.importers.import_report import ImportedSeries, ImportReport

__all__ = ["ImportReport", "ImportedSeries"]
