"""Random markets, accounts and scripts of orders, each told by a number and made again from it."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from made_actions import actions
from openbell.actions import ActionStore
from openbell.engine.system import SystemManager
from openbell.testing import bar_starts, make_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DAYS = ("2024-07-01", "2024-07-03")
CALENDAR = "24/7"
INTERVAL = "120m"
STEP_NS = 7_200_000_000_000
BARS = 36

PLAIN = [f"A{number}" for number in range(20)]
RENAMED = [f"B{number}" for number in range(20)]

EX_DATES = (date(2024, 7, 2), date(2024, 7, 3))
EVENTS = [("split", 2), ("split", 0.1), ("split", 1.5), ("split", 0.5), ("dividend", 0.7), ("dividend", 1.1)]

PRICES_OF_ORDERS: list[dict[str, Any]] = [
    *({}, {"limit": 1}, {"stop": 1}, {"limit": 1, "stop": 1}, {"trail": 0}, {"trail_percent": 0}),
    *({"type": "market_on_open"}, {"type": "market_on_close"}),
]
"""What orders are given: 1 stands for a price, 0 for a distance."""

ACCOUNT: dict[str, list[Any]] = {
    "fees": [{"model": "none"}, {"model": "ibkr_fixed"}, {"model": "alpaca"}],
    "slippage": [{"model": "none"}, {"model": "bps", "bps": 5}, {"model": "volume_share"}],
    "fills": [{}, {"max_volume_share": 0.02}, {"both_touched": "better"}, {"market": "this_close"}],
    "borrow_rate": [0, 0.5],
    "lots": ["fifo", "average"],
    "leverage": [1, 2, 4],
    "cash": [200_000, 20_000, 5_000],
    "risk": [{}, {"max_daily_loss_percent": 2}, {"max_gross_leverage": 0.8}],
    "shorting": [True, False],
}
"""The values that each key of the section execution takes."""

Call = tuple[str, dict[str, Any]]
"""A method of the context, with what it is given."""

Row = tuple[str, date, str, Any]


class Market:
    """Bars and corporate actions of all symbols, with the store that has them.

    Args:
        store: The folder of the store.
        bars: By symbol, the columns of its bars.
        actions: Rows of symbol, ex-date, type, and value or new name.

    Attributes:
        data_manager: Reads the store, for all accounts.
    """

    # No dataclass: hypothesis would print all of it with a case that fails.
    def __init__(self, store: Path, bars: Mapping[str, Mapping[str, NDArray[Any]]], actions: list[Row]) -> None:
        self.bars = bars
        self.actions = actions
        self.data_manager = SystemManager(made_config({}, PLAIN[:1]), store=store).data_manager

    def __repr__(self) -> str:
        return "market"


def made_config(execution: Mapping[str, Any], symbols: Sequence[str]) -> dict[str, Any]:
    """The config of a run that trades these symbols, without strategies."""
    return {
        "session_name": "identity",
        "exchange": CALENDAR,
        "backtest_config": {"start_date": DAYS[0], "end_date": DAYS[1]},
        "session_data_config": {"symbols": list(symbols), "streams": [INTERVAL]},
        "execution": dict(execution),
    }


def made_market(folder: Path, seed: int) -> Market:
    """Write the store of a market; some of its symbols have other names from a day on."""
    frames = {symbol: hours([seed, number]) for number, symbol in enumerate((*PLAIN, *RENAMED))}
    rows: list[Row] = []
    for number, symbol in enumerate(frames):
        dice = Random(f"actions {seed} {number}")
        found = [(symbol, dice.choice(EX_DATES), *dice.choice(EVENTS)) for _ in range(dice.randrange(4))]
        rows += list({row[:3]: row for row in found}.values())
    for symbol in RENAMED:
        day, new_symbol = _renamed_on(symbol), symbol.replace("B", "C")
        rows.append((symbol, day, "rename", new_symbol))
        is_new = pl.col("timestamp").dt.date() >= day
        frames[new_symbol], frames[symbol] = frames[symbol].filter(is_new), frames[symbol].filter(~is_new)
    store = make_store(folder, {symbol: {INTERVAL: frame} for symbol, frame in frames.items()})
    ActionStore(store).write(actions(*rows))
    return Market(store, {symbol: columns(frame) for symbol, frame in frames.items()}, rows)


def name_on(symbol: str, day: date) -> str:
    """The name of a symbol on a day."""
    return symbol.replace("B", "C") if symbol in RENAMED and day >= _renamed_on(symbol) else symbol


def _renamed_on(symbol: str) -> date:
    return EX_DATES[int(symbol[1:]) % 2]


def hours(seed: list[int]) -> pl.DataFrame:
    """Three days of bars, which jump, halt and trade thinly."""
    dice = np.random.default_rng(seed)
    gaps = [(0.0,), (0.0, 2.0, 0.0, -2.0)][dice.integers(2)]
    volumes = [(1_000.0,), (1_000.0, 3.0, 200.0)][dice.integers(2)]
    close = 100.0 + np.clip(np.cumsum(dice.integers(-6, 7, BARS) / 2), -20, 20)
    opened = np.concatenate([[100.0], close[:-1]]) + dice.choice(gaps, BARS)
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series(bar_starts(*DAYS, INTERVAL, exchange=CALENDAR)).cast(pl.Datetime("ns", "UTC")),
            "open": opened,
            "high": np.maximum(opened, close) + 1.0,
            "low": np.minimum(opened, close) - 1.0,
            "close": close,
            "volume": dice.choice(volumes, BARS),
        }
    )
    first, length = dice.integers(1, BARS - 1), dice.integers(0, 13)
    return frame.filter(~pl.int_range(pl.len()).is_between(first, first + length - 1))


def columns(frame: pl.DataFrame) -> dict[str, NDArray[Any]]:
    found = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close")}
    return found | {"start": frame["timestamp"].dt.epoch("ns").to_numpy()}


def made_account(number: int) -> tuple[dict[str, Any], list[str]]:
    """The section execution, and the symbols that are traded; the first two keep their names."""
    dice = Random(f"account {number}")
    execution = {key: dice.choice(values) for key, values in ACCOUNT.items()}
    symbols = [*dice.sample(PLAIN, 2), *dice.sample(PLAIN[:5] + RENAMED, 2)]
    symbols = list(dict.fromkeys(symbols))
    instrument = dice.choice([None, {"multiplier": 5}, {"multiplier": 5, "margin": 200}])
    return execution | {"instruments": {symbols[0]: instrument} if instrument else {}}, symbols


def made_script(number: int, steps: int, symbols: list[str]) -> dict[int, list[Call]]:
    """What a strategy does at which of its bars; fewer steps are the first of more."""
    dice = Random(f"script {number}")
    script: dict[int, list[Call]] = {}
    for _ in range(steps):
        script.setdefault(dice.randrange(BARS), []).extend(_call(dice, symbols) for _ in range(dice.randint(1, 3)))
    return script


def _call(dice: Random, symbols: list[str]) -> Call:
    kind, symbol = dice.choice(["order"] * 6 + ["bracket", "target", "other"]), dice.choice(symbols)
    tif, units = dice.choice(["day", "gtc"]), dice.choice([1.0, 7.0, 30.0, 55.0]) * dice.choice([1, -1])
    if kind == "order":
        prices = dice.choice(PRICES_OF_ORDERS)
        given = {k: _price(dice) if v == 1 else 1.5 if v == 0 else v for k, v in prices.items()}
        return "order", {"symbol": symbol, "quantity": units, "tif": tif, **given}
    if kind == "bracket":
        below, above = sorted((_price(dice), _price(dice) + 0.25))
        stop, target = (below, above) if units > 0 else (above, below)
        return "bracket", {"symbol": symbol, "quantity": units, "stop": stop, "target": target, "tif": tif}
    if kind == "target":
        measure = dice.choice([{"percent": 40}, {"percent": -40}, {"value": 9_000}, {"quantity": -13}])
        return "order_target", {"symbol": symbol, **measure}
    return dice.choice([("close", {"symbol": symbol}), ("close_all", {}), ("cancel_all", {}), ("replace", {})])


def _price(dice: Random) -> float:
    return dice.randint(180, 220) / 2
