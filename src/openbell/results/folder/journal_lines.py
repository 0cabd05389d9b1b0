"""Lines of ``journal.jsonl``, with one line for many symbols that were asked for together."""

from __future__ import annotations

import json
from dataclasses import fields
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from openbell.model.events import ProvisioningRecord
from openbell.results.folder.as_json import record_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from openbell.model.json_object import JsonObject

__all__ = ["journal_lines", "opened_lines"]

_MOST_ALONE = 20
"""The most records in a row with a line each when they differ in their symbols alone; more share one line."""

_all_but_symbol = attrgetter(*(field.name for field in fields(ProvisioningRecord) if field.name != "symbol"))


def journal_lines(records: Sequence[ProvisioningRecord]) -> Iterator[str]:
    """Iterate over the lines of records, without the ends of lines.

    A line of many records has ``symbols`` in place of ``symbol``.
    """
    for _, found in groupby(records, _all_but_symbol):
        alike = list(found)
        if len(alike) <= _MOST_ALONE:
            yield from (json.dumps(record_json(record)) for record in alike)
            continue
        yield json.dumps(_renamed(record_json(alike[0]), "symbol", "symbols", [record.symbol for record in alike]))


def opened_lines(lines: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Iterate over the records of lines, one per symbol."""
    for line in lines:
        if "symbols" in line:
            yield from (_renamed(line, "symbols", "symbol", symbol) for symbol in line["symbols"])
        else:
            yield line


def _renamed(line: JsonObject, old: str, new: str, value: object) -> JsonObject:
    """Return a line with another field in the place of one."""
    return {(new if name == old else name): (value if name == old else known) for name, known in line.items()}
