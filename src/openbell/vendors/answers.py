"""Answers of a source to many requests, which several threads ask at once."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from openbell.errors import DataError
from openbell.vendors.source import SourceRefusedError

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Generator, Mapping

    import polars as pl

    from openbell.vendors.fetch_plan import FetchRequest
    from openbell.vendors.source import BarSource

__all__ = ["Answer", "answers"]

Answer = tuple["FetchRequest", "Mapping[str, pl.DataFrame] | DataError"]

_AHEAD = 2
_POLL_S = 0.1
_Outcome = Answer | Exception
"""An answer, or what ends the whole fetch."""


def answers(source: BarSource, requests: deque[FetchRequest], workers: int) -> Generator[list[Answer]]:
    """Yield what the source answers, as it comes.

    Requests that are added meanwhile are sent, too.

    Args:
        source: Where to ask.
        requests: The requests; those that are sent are taken out.
        workers: How many are under way at once.

    Raises:
        SourceRefusedError: The source refuses the account.
    """
    asked: queue.SimpleQueue[FetchRequest | None] = queue.SimpleQueue()
    answered: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
    for _ in range(workers):
        # Not a pool, whose threads an interrupted process would wait for as long as a server keeps them.
        threading.Thread(target=_ask, args=(source, asked, answered), daemon=True).start()
    pending = 0
    try:
        while True:
            # Few requests are sent ahead, so that few answers wait in memory.
            while requests and pending < workers * _AHEAD:
                asked.put(requests.popleft())
                pending += 1
            if not pending:
                return
            outcomes = _next(answered)
            pending -= len(outcomes)
            # What came with the end of the fetch is stored before it ends.
            yield [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome
    finally:
        if pending:
            source.stop()
        for _ in range(workers):
            asked.put(None)


def _ask(
    source: BarSource, asked: queue.SimpleQueue[FetchRequest | None], answered: queue.SimpleQueue[_Outcome]
) -> None:
    """Answer requests until there are no more, or one of them ends the fetch."""
    while (request := asked.get()) is not None:
        try:
            answered.put((request, source.bars(*request)))
        except SourceRefusedError as exc:
            # A source that refuses is not asked again, however late the other thread hears of it.
            answered.put(exc)
            return
        except DataError as exc:
            answered.put((request, exc))
        except Exception as exc:  # noqa: BLE001 - the thread that waits raises it
            answered.put(exc)
            return


def _next(answered: queue.SimpleQueue[_Outcome]) -> list[_Outcome]:
    """Wait for an outcome, and return all that are there then."""
    while True:
        try:
            # Not without a timeout: a signal that polars handles would not end the wait.
            found = [answered.get(timeout=_POLL_S)]
        except queue.Empty:
            continue
        while not answered.empty():
            found.append(answered.get())
        return found
