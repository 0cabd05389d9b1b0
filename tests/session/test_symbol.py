"""A symbol of a session is changed as a copy, which then takes its place."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from openbell.session import SymbolSessionData


def test_a_copy_has_all_that_the_symbol_has_and_shares_no_collection() -> None:
    collections: dict[str, Any] = {"bars": {"1m": 1}, "indicators": {"ema_10_1m": 2}}
    collections |= {"owners": {"1m": frozenset({"config"})}, "locks": {"config": "in use"}}
    symbol = SymbolSessionData("SPY", True, "scanner", True, True, "asked for", **collections)
    copied = symbol.copy()

    for field in fields(SymbolSessionData):
        value = getattr(symbol, field.name)
        assert value != getattr(SymbolSessionData(""), field.name), f"{field.name} is not tested"
        assert getattr(copied, field.name) == value
        assert (getattr(copied, field.name) is value) != isinstance(value, dict)
