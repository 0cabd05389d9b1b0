"""The report of a fetch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openbell.importers.import_report import ImportReport

if TYPE_CHECKING:
    from openbell.store.write_report import WriteReport

__all__ = ["FetchReport"]


@dataclass
class FetchReport:
    """The outcome of a fetch.

    Attributes:
        bars: What became of the bars, per symbol and interval; a source's answers count as files.
        requests: How many requests were planned; likewise answered.
        held: Sessions of a symbol that were in the store already and were not asked for.
        unavailable: Sessions of a symbol that were not asked for, because the source had no bars of them before.
        empty: By symbol, sessions that the source has no bars of although the store has bars of other sessions.
        failed: (symbol, reason) of what could not be had; the rest is stored.
        actions: Corporate actions added, revised and unchanged; None when they were not asked for.
        other_actions: By kind, actions that openbell does not apply.
        bad_actions: Corporate actions that contradict themselves and were not stored: how many, by reason.
        unasked: Bars that came of symbols that were not asked for, and were not stored.
        unasked_actions: Likewise corporate actions, of other symbols or other dates.
    """

    bars: ImportReport = field(default_factory=ImportReport)
    requests: int = 0
    answered: int = 0
    held: int = 0
    unavailable: int = 0
    empty: dict[str, int] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)
    actions: WriteReport | None = None
    other_actions: dict[str, int] = field(default_factory=dict)
    bad_actions: Counter[str] = field(default_factory=Counter)
    unasked: int = 0
    unasked_actions: int = 0

    def fail(self, subject: str, reason: str) -> None:
        """Note what could not be had, each reason of a subject only once."""
        if (subject, reason) not in self.failed:
            self.failed.append((subject, reason))
