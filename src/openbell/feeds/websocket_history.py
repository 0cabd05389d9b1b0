"""Answers to requests for history, which arrive in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.feeds.json_bars import BadRowError, bar_of
from openbell.feeds.websocket_fields import BadMessageError, text_of, whole_number_of
from openbell.model.feed_events import FeedHistory
from openbell.model.interval import DAY_NS
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from openbell.feeds.feed import HistoryRequest
    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject

__all__ = ["HistoryPages", "Page"]


class Page(NamedTuple):
    """Outcome of a page.

    Attributes:
        answer: The whole answer if this was its last page, else None.
        trouble: A text about bars of the page that are left out; empty without any.
    """

    answer: FeedHistory | None
    trouble: str = ""


class HistoryPages:
    """Collects the pages of the answers that are still expected.

    Args:
        most: The most bars in one answer.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked: dict[int, HistoryRequest] = {}
        self._bars: dict[int, list[FeedBar]] = {}

    def expect(self, request: HistoryRequest) -> None:
        """Expect the answer to a request."""
        self._asked[request.number] = request
        self._bars[request.number] = []

    def read(self, message: JsonObject) -> Page:
        """Add a page to its answer.

        If the page is not valid, the answer ends with an error.

        Raises:
            BadMessageError: The page belongs to no answer that is expected.
        """
        number = whole_number_of(message, "number")
        if number not in self._asked:
            raise BadMessageError(f"no request for history has the number {number}")
        try:
            return self._page(number, message)
        except BadMessageError as exc:
            return self._ended(number, f"the answer is invalid: {exc}")

    def _page(self, number: int, message: JsonObject) -> Page:
        if "error" in message:
            return self._ended(number, text_of(message, "error") or "the feed does not say why")
        rows = message.get("bars")
        if not isinstance(rows, list):
            raise BadMessageError("bars must be a list")
        if len(self._bars[number]) + len(rows) > self._most:
            raise BadMessageError(f"it has more than {self._most:,} bars")
        trouble = self._add(number, rows)
        return Page(None, trouble) if message.get("more") is True else self._ended(number, "", trouble)

    def _add(self, number: int, rows: list[object]) -> str:
        """Add bars to an answer, and return a text about those that are left out.

        Raises:
            BadMessageError: The bars are not in ascending time.
        """
        request, bars = self._asked[number], self._bars[number]
        bad: list[str] = []
        unasked = 0
        for row in rows:
            try:
                bar = bar_of(request.symbol, request.interval, row)
            except BadRowError as exc:
                bad.append(str(exc))
                continue
            if bars and bar.start_ns <= bars[-1].start_ns:
                raise BadMessageError(f"its bars of {request.symbol} {request.interval} are not in ascending time")
            if _is_asked(bar.start_ns, request):
                bars.append(bar)
            else:
                unasked += 1
        what = f"history of {request.symbol} {request.interval}"
        troubles = [f"{len(bad)} of {len(rows)} bars are left out; the first: {bad[0]}"] if bad else []
        troubles += [f"{unasked} of {len(rows)} bars were not asked for and are left out"] if unasked else []
        return f"{what}: {'; '.join(troubles)}" if troubles else ""

    def _ended(self, number: int, error: str, trouble: str = "") -> Page:
        del self._asked[number]
        bars = self._bars.pop(number)
        return Page(FeedHistory(number, error=error) if error else FeedHistory(number, bars), trouble)


def _is_asked(start_ns: int, request: HistoryRequest) -> bool:
    if request.interval == "1d":
        # A daily bar starts at midnight UTC of its date, which cannot be compared with ``from_ns``.
        return start_ns // DAY_NS >= day_number(request.first) and start_ns < request.to_ns
    return request.from_ns <= start_ns < request.to_ns
