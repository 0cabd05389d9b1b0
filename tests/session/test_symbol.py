"""A symbol of a session is changed as a draft, which then takes its place; what is published never changes."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from openbell.session import SymbolSessionData
from openbell.session.symbol import SymbolDraft
from openbell.testing import advance
from probes import prepared

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_draft_has_all_that_the_symbol_has_and_shares_no_collection() -> None:
    collections: dict[str, Any] = {"bars": {"1m": 1}, "indicators": {"ema_10_1m": 2}}
    collections |= {"owners": {"1m": frozenset({"config"})}, "locks": {"config": "in use"}}
    first = SymbolDraft("SPY", True, "scanner", True, True, "asked for", **collections)
    published = first.finished()
    again = SymbolDraft.of(published)

    for field in fields(SymbolSessionData):
        value = getattr(first, field.name)
        assert value != getattr(SymbolDraft(""), field.name), f"{field.name} is not tested"
        for other in (published, again):
            assert getattr(other, field.name) == value
            assert (getattr(other, field.name) is value) != isinstance(value, dict)
    first.locks.clear()
    again.locks.clear()
    assert published.locks == {"config": "in use"}


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.current.clear(),
        lambda data: data.current.update(SPY=None),
        lambda data: setattr(data, "current", {}),
        lambda data: setattr(data, "series_version", 99),
        lambda data: delattr(data, "version"),
        lambda data: data.publish({}, ["SPY"]),
        lambda data: data.serve_additions_by(None),
        lambda data: data.current["SPY"].bars.clear(),
        lambda data: data.current["SPY"].indicators.pop("ema_5_1m"),
        lambda data: data.current["SPY"].owners.update(SPY="me"),
        lambda data: data.current["SPY"].locks.update(me="in use"),
        lambda data: data.current["SPY"].own("1m", "me"),
        lambda data: data.current["SPY"].put_series(data.current["SPY"].bars["1m"]),
        lambda data: setattr(data.current["SPY"], "reason", "mine"),
        lambda data: setattr(data.current["SPY"].bars["1m"], "today_row", 0),
        lambda data: delattr(data.current["SPY"].bars["1m"], "base"),
        lambda data: data.current["SPY"].bars["1m"].score(None, None),
        lambda data: setattr(data.current["SPY"].bars["1m"].data.times, "end", None),
        lambda data: setattr(data.current["SPY"].bars["1m"].history, "close", None),
        lambda data: setattr(data.current["SPY"].indicators["ema_5_1m"], "settling", 0),
        lambda data: data.current["SPY"].indicators["ema_5_1m"].moved_to(data.current["SPY"].bars["1m"]),
    ],
)
def test_a_strategy_cannot_change_what_is_published(minute_store: Path, change: Callable[[Any], object]) -> None:
    system = prepared(minute_store, indicators=[{"name": "ema", "period": 5}])
    advance(system, "11:00")
    with pytest.raises((AttributeError, TypeError)):
        change(system.session_data)
