"""Answers of a source to many requests, which several threads send at once."""

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
"""An answer, or the error that ends the whole fetch."""


def answers(source: BarSource, requests: deque[FetchRequest], workers: int) -> Generator[list[Answer]]:
    """Yield the source's answers in batches, as they arrive.

    An answer to a request is its bars by symbol, or the error of that request alone. Requests that are added meanwhile
    are sent, too.

    Args:
        source: The source.
        requests: The requests; each is removed when it is sent.
        workers: The number of requests in flight at once.

    Raises:
        SourceRefusedError: The source refuses the account. Answers that arrived before are yielded first.
    """
    asked: queue.SimpleQueue[FetchRequest | None] = queue.SimpleQueue()
    answered: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
    for _ in range(workers):
        # Daemon threads, not a pool: an interrupted process would wait for a pool's threads as long as the server does.
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
            # Answers that arrived together with the error are yielded first, so that they are stored.
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
    """Send requests and queue their outcomes.

    The thread ends at a None in the queue, or with an outcome that ends the fetch.
    """
    while (request := asked.get()) is not None:
        try:
            answered.put((request, source.bars(*request)))
        except SourceRefusedError as exc:
            # This thread ends here, so that it sends nothing more before the main thread sees the refusal.
            answered.put(exc)
            return
        except DataError as exc:
            answered.put((request, exc))
        except Exception as exc:  # noqa: BLE001 - raised again in the thread that waits for answers
            answered.put(exc)
            return


def _next(answered: queue.SimpleQueue[_Outcome]) -> list[_Outcome]:
    """Wait for an outcome, and return all that have arrived by then."""
    while True:
        try:
            # With a timeout, because a signal that polars handles would not end an unlimited wait.
            found = [answered.get(timeout=_POLL_S)]
        except queue.Empty:
            continue
        while not answered.empty():
            found.append(answered.get())
        return found
