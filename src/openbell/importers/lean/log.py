"""Log entries of an import, one per file, or per month of LEAN's files."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from openbell.importers.files.download import as_given
from openbell.logs import get_logger, logs_what_happens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.importers.import_report import ImportReport

__all__ = ["logged"]


@contextmanager
def logged(report: ImportReport, source: object, **fields: object) -> Iterator[None]:
    """Log what the ``with`` block has added to the report.

    Args:
        report: The report of the import.
        source: The file.
        fields: Further fields of the log entries.
    """
    if not logs_what_happens():  # counting takes time, because it goes over all series
        yield
        return
    before, failed, quarantined = _counts(report), len(report.failed), len(report.quarantine)
    yield
    log = get_logger(file=str(source), **fields)
    for path, reason in report.failed[failed:]:
        log.info("not imported", file=as_given(path), reason=as_given(reason))
    counts: dict[str, object] = {
        name: count - before[name] for name, count in _counts(report).items() if count != before[name]
    }
    for path in report.quarantine[quarantined:]:
        counts["quarantine"] = str(path)
    if counts:
        log.info("imported", **counts)


def _counts(report: ImportReport) -> dict[str, int]:
    written = report.written
    return {
        "added": written.added,
        "revised": written.revised,
        "unchanged": written.unchanged,
        "unsorted": sum(series.unsorted for series in report.series.values()),
        "duplicates": sum(series.duplicates for series in report.series.values()),
        "set_aside": report.set_aside,
    }
