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
        bars: The outcome for the bars, per symbol and interval; a source's answers count as files.
        requests: The number of requests, with those that were split after a rejection.
        answered: The number of answers so far.
        held: The number of sessions not requested because the store has them, each symbol counted.
        unavailable: The number of sessions not requested because the source had no bars of them before.
        empty: By symbol, the number of sessions without bars at the source, where the store has bars of others.
        failed: (symbol, reason) of each failure; everything else is stored.
        actions: Corporate actions added, revised and unchanged; None when none were requested.
        other_actions: By kind, the number of actions that openbell does not apply.
        bad_actions: By reason, the number of corporate actions that contradict themselves and were not stored.
        unasked: The number of bars that arrived for symbols that were not requested, and were not stored.
        unasked_actions: The number of corporate actions that arrived for other symbols or dates, and were not stored.
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
        """Record a failure, each reason of a subject only once."""
        if (subject, reason) not in self.failed:
            self.failed.append((subject, reason))
