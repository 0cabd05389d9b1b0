"""Orders fill where the table says, in whole columns as bar by bar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.execution.simulated.fill_prices import (
    FILL_RULES,
    UNTOUCHED,
    FillColumns,
    FillPoint,
    RestingState,
    first_fill,
    this_close,
)
from openbell.execution.simulated.first_touched import first_touched, fitting_part, with_volume
from openbell.model.instrument import Instrument
from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARE = Instrument("SPY", tick=None)
COIN = Instrument("BTC", tick=None, fractional=True)


@dataclass(frozen=True)
class RestingOrder:
    """The prices of an order."""

    quantity: float
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    trail_percent: float | None = None


def columns(
    bars: list[tuple[float, float, float, float]], volume: list[float] | None = None, **keys: Any
) -> FillColumns:
    prices = np.array(bars, np.float64).reshape(-1, 4).T
    return FillColumns(*prices, np.array(volume or [1_000.0] * len(bars)), **keys)


# The table of the guide

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "orders-and-fills.md"

_ROW = re.compile(
    r"^\| (?P<case>[^|]+) \| `(?P<side>buy|sell) (?P<order>[^|`]+)` \| (?P<bars>`[^|]+`) \| (?P<fill>[^|]+) \|$",
    re.MULTILINE,
)
_FILL = re.compile(r"bar (\d+) at ([\d.]+)(, its open)?")


class Row(NamedTuple):
    """One line of the guide's table."""

    case: str
    kind: OrderType
    order: RestingOrder
    bars: list[tuple[float, float, float, float]]
    expected: FillPoint | None


def rows_of_the_guide() -> Iterator[Row]:
    for row in _ROW.finditer(GUIDE.read_text(encoding="utf-8")):
        words = row["order"].split()
        prices = {word.partition("=")[0]: float(word.partition("=")[2]) for word in words if "=" in word}
        fill = _FILL.fullmatch(row["fill"])
        assert fill or row["fill"] == "none", row[0]
        yield Row(
            row["case"],
            OrderType(words[0]) if not prices else kind_of(prices),
            RestingOrder(1.0 if row["side"] == "buy" else -1.0, **prices),
            [tuple(map(float, bar.split())) for bar in re.findall(r"`([^`]+)`", row["bars"])],  # type: ignore[misc]
            FillPoint(int(fill[1]) - 1, float(fill[2]), at_open=bool(fill[3])) if fill else None,
        )


def kind_of(prices: dict[str, float]) -> OrderType:
    if "stop" in prices:
        return OrderType.STOP_LIMIT if "limit" in prices else OrderType.STOP
    return OrderType.LIMIT if "limit" in prices else OrderType.TRAILING_STOP


TABLE = list(rows_of_the_guide())


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.kind}: {row.case}")
def test_an_order_fills_as_the_guide_says(row: Row) -> None:
    found, _ = first_fill(row.kind, row.order, columns(row.bars), 0, len(row.bars), RestingState(best=100.0))

    assert found == row.expected


def test_the_guide_has_every_kind_of_order() -> None:
    assert {(row.kind, row.order.quantity > 0) for row in TABLE} >= {(kind, True) for kind in OrderType}
    assert {row.kind for row in TABLE if row.order.quantity < 0} >= {
        OrderType.LIMIT,
        OrderType.STOP,
        OrderType.STOP_LIMIT,
    }
    assert set(FILL_RULES.names()) == set(OrderType)


# Bar by bar


@dataclass
class Twin:
    """An order that looks at one bar after the other, as slow and as plain as can be."""

    kind: OrderType
    order: RestingOrder
    triggered: bool = False
    best: float | None = None

    def on_bar(self, bar: tuple[float, float, float, float]) -> tuple[float, bool] | None:
        return getattr(self, f"_{self.kind}")(*bar)  # type: ignore[no-any-return]

    @property
    def side(self) -> int:
        return 1 if self.order.quantity > 0 else -1

    def beyond(self, price: float, other: float) -> bool:
        """Whether a price is worse for the order than another."""
        return self.side * price > self.side * other

    def _market(self, open_: float, high: float, low: float, close: float) -> tuple[float, bool] | None:
        return open_, True

    def _limit(self, open_: float, high: float, low: float, close: float) -> tuple[float, bool] | None:
        assert self.order.limit is not None
        if self.beyond(self.order.limit, open_):
            return open_, True
        if self.beyond(self.order.limit, low if self.side > 0 else high):
            return self.order.limit, False
        return None

    def _stop(self, open_: float, high: float, low: float, close: float) -> tuple[float, bool] | None:
        assert self.order.stop is not None
        if not self.beyond(self.order.stop, open_):
            return open_, True
        if not self.beyond(self.order.stop, high if self.side > 0 else low):
            return self.order.stop, False
        return None

    def _stop_limit(self, open_: float, high: float, low: float, close: float) -> tuple[float, bool] | None:
        assert self.order.limit is not None
        if self.triggered:
            return self._limit(open_, high, low, close)
        reached = self._stop(open_, high, low, close)
        if reached is None:
            return None
        self.triggered = True
        price, at_open = reached
        if at_open:
            return self._limit(open_, high, low, close)
        if self.beyond(self.order.limit, price):
            return price, False
        return (self.order.limit, False) if self.beyond(self.order.limit, close) else None

    def _trailing_stop(self, open_: float, high: float, low: float, close: float) -> tuple[float, bool] | None:
        if self.best is None:
            self.best = open_
        if not self.beyond(self._behind(self.best), open_):
            return open_, True
        better = min if self.side > 0 else max
        level = self._behind(better(self.best, open_))
        if not self.beyond(level, high if self.side > 0 else low):
            return level, False
        self.best = better(self.best, low if self.side > 0 else high)
        return None

    def _behind(self, best: float) -> float:
        if self.order.trail is not None:
            return best + self.side * self.order.trail
        assert self.order.trail_percent is not None
        return best + self.side * abs(best) * (self.order.trail_percent / 100)


PRICES = st.integers(1, 24).map(lambda n: n / 2)


@st.composite
def bars_of_a_day(draw: st.DrawFn) -> list[tuple[float, float, float, float]]:
    made = []
    for _ in range(draw(st.integers(1, 8))):
        low, *inner, high = sorted(draw(st.lists(PRICES, min_size=4, max_size=4)))
        open_, close = draw(st.permutations(inner))
        made.append((open_, high, low, close))
    return made


@st.composite
def resting_orders(draw: st.DrawFn) -> tuple[OrderType, RestingOrder]:
    kind = draw(st.sampled_from([k for k in OrderType if not k.startswith("market_on")]))
    prices: dict[str, float] = {}
    if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        prices["limit"] = draw(PRICES)
    if kind in (OrderType.STOP, OrderType.STOP_LIMIT):
        prices["stop"] = draw(PRICES)
    if kind is OrderType.TRAILING_STOP:
        prices = draw(st.sampled_from([{"trail": 1.0}, {"trail": 0.5}, {"trail_percent": 25.0}]))
    return kind, RestingOrder(draw(st.sampled_from([1.0, -1.0])), **prices)


@given(bars_of_a_day(), resting_orders(), st.data())
def test_columns_agree_with_an_order_that_looks_bar_by_bar(
    bars: list[tuple[float, float, float, float]], placed: tuple[OrderType, RestingOrder], data: st.DataObject
) -> None:
    kind, order = placed
    fillable = data.draw(st.none() | st.lists(st.booleans(), min_size=len(bars), max_size=len(bars)))
    best = data.draw(st.none() | PRICES)
    first = data.draw(st.integers(0, len(bars)))
    twin = Twin(kind, order, best=best)
    expected = None
    for row in range(first, len(bars)):
        if (fillable is None or fillable[row]) and (filled := twin.on_bar(bars[row])):
            expected = FillPoint(row, *filled)
            break

    mask = None if fillable is None else np.array(fillable)
    found, _ = first_fill(kind, order, columns(bars, fillable=mask), first, len(bars), RestingState(best=best))

    assert found == expected


@pytest.mark.parametrize(
    ("quantity", "trail", "tick", "price"),
    [
        (-1.0, {"trail_percent": 0.72}, None, 186.2868 * 0.9928),
        (-1.0, {"trail_percent": 0.72}, 0.01, 184.94),  # 184.94553
        (1.0, {"trail_percent": 0.72}, 0.01, 187.63),  # 187.62806
        (-1.0, {"trail": 1.5}, 0.25, 184.75),  # 184.7868
        (-1.0, {"trail": 0.1}, None, 186.1868),
    ],
)
def test_a_trailing_stop_is_a_price_that_there_is(
    quantity: float, trail: dict[str, float], tick: float | None, price: float
) -> None:
    bar = (186.2868, 186.2868, 180.0, 185.0) if quantity < 0 else (186.2868, 190.0, 186.2868, 187.0)

    found, _ = first_fill(OrderType.TRAILING_STOP, RestingOrder(quantity, **trail), columns([bar], tick=tick), 0, 1)

    assert found is not None
    assert found.price == float(f"{price:.10g}") if tick else found.price == pytest.approx(price)
    assert len(repr(found.price)) <= len("184.94553504000")


def test_a_trailing_stop_is_reached_at_its_tick_and_not_before() -> None:
    order = RestingOrder(-1.0, trail_percent=0.72)
    bars = [(186.2868, 186.2868, 184.943, 185.0), (185.0, 185.0, 184.94, 185.0)]

    found, _ = first_fill(OrderType.TRAILING_STOP, order, columns(bars, tick=0.01), 0, 2)

    assert found == FillPoint(1, 184.94, at_open=False)


@given(bars_of_a_day(), resting_orders(), st.data())
def test_bars_that_come_in_batches_fill_as_the_whole_day_does(
    bars: list[tuple[float, float, float, float]], placed: tuple[OrderType, RestingOrder], data: st.DataObject
) -> None:
    kind, order = placed
    cuts = sorted(data.draw(st.lists(st.integers(0, len(bars)), max_size=3)))
    whole, state_of_whole = first_fill(kind, order, columns(bars), 0, len(bars))

    state, found = UNTOUCHED, None
    for first, last in zip([0, *cuts], [*cuts, len(bars)], strict=True):
        # No row after the last one is there yet.
        found, state = first_fill(kind, order, columns(bars[:last]), first, last, state)
        if found is not None:
            break

    assert found == whole
    assert state == state_of_whole


@given(bars_of_a_day(), resting_orders())
def test_a_fill_is_a_price_of_its_bar_and_no_worse_than_the_limit(
    bars: list[tuple[float, float, float, float]], placed: tuple[OrderType, RestingOrder]
) -> None:
    kind, order = placed

    found, _ = first_fill(kind, order, columns(bars), 0, len(bars))

    if found is not None:
        _, high, low, _ = bars[found.row]
        assert low <= found.price <= high
        if order.limit is not None:
            assert (found.price - order.limit) * order.quantity <= 0


# Sessions


class TestOnOpenAndOnClose:
    BARS = ((100.0, 101.0, 99.0, 100.0), (101.0, 102.0, 100.0, 101.0), (102.0, 103.0, 101.0, 102.5))

    def test_an_order_on_the_open_that_comes_later_waits_for_the_next_session(self) -> None:
        found, _ = first_fill(OrderType.MARKET_ON_OPEN, RestingOrder(1), columns([*self.BARS]), 1, 3)

        assert found is None

    def test_the_first_bar_that_trades_is_the_open(self) -> None:
        halted = columns([*self.BARS], fillable=np.array([False, True, True]))

        found, _ = first_fill(OrderType.MARKET_ON_OPEN, RestingOrder(1), halted, 1, 3)

        assert found == FillPoint(1, 101.0, at_open=True)

    def test_the_open_is_that_of_the_session_within_the_columns(self) -> None:
        found, _ = first_fill(OrderType.MARKET_ON_OPEN, RestingOrder(1), columns([*self.BARS], begin=2), 2, 3)

        assert found == FillPoint(2, 102.0, at_open=True)

    def test_the_last_bar_that_trades_is_the_close(self) -> None:
        halted = columns([*self.BARS], fillable=np.array([True, True, False]))

        found, _ = first_fill(OrderType.MARKET_ON_CLOSE, RestingOrder(1), halted, 0, 3)

        assert found == FillPoint(1, 101.0, at_open=False)

    def test_an_order_after_the_last_bar_that_trades_does_not_fill(self) -> None:
        halted = columns([*self.BARS], fillable=np.array([True, True, False]))

        assert first_fill(OrderType.MARKET_ON_CLOSE, RestingOrder(1), halted, 2, 3) == (None, UNTOUCHED)


@pytest.mark.parametrize("kind", OrderType)
def test_no_order_fills_on_bars_on_which_none_may(kind: OrderType) -> None:
    order = RestingOrder(1, limit=200, stop=1, trail=1)
    bars = columns([(100, 101, 99, 100)] * 3, fillable=np.zeros(3, bool))

    assert first_fill(kind, order, bars, 0, 3)[0] is None
    assert first_fill(kind, order, bars, 3, 3)[0] is None


def test_a_fill_at_this_close_is_that_of_the_bar_that_ends_now() -> None:
    bars = columns([(100, 101, 99, 100.5), (101, 102, 100, 101)], fillable=np.array([True, False]))

    assert this_close(bars, 0) == FillPoint(0, 100.5, at_open=False)
    assert this_close(bars, 1) is None


# Groups and volume


@pytest.mark.parametrize(
    ("stop", "target", "both_touched", "expected"),
    [
        (None, None, "worse", None),
        ((3, 98.0, False), None, "worse", (0, False)),
        (None, (3, 104.0, False), "worse", (1, False)),
        ((3, 98.0, False), (2, 104.0, False), "worse", (1, False)),
        ((2, 98.0, False), (2, 104.0, False), "worse", (0, True)),
        ((2, 98.0, False), (2, 104.0, False), "better", (1, True)),
        ((2, 97.0, True), (2, 104.0, False), "worse", (0, False)),
        ((2, 98.0, False), (2, 105.0, True), "worse", (1, False)),
        ((2, 98.0, False), (3, 105.0, True), "worse", (0, False)),
    ],
)
def test_of_stop_and_target_the_first_fills_and_of_two_in_one_bar_the_worse(
    stop: Any, target: Any, both_touched: Any, expected: Any
) -> None:
    points = [None if p is None else FillPoint(*p) for p in (stop, target)]

    assert first_touched(points, [-10, -10], both_touched) == expected


def test_of_two_orders_that_buy_the_higher_price_is_the_worse() -> None:
    points = [FillPoint(0, 102.0, at_open=False), FillPoint(0, 96.0, at_open=False)]

    assert first_touched(points, [10, 10], "worse") == (0, True)
    assert first_touched(points, [10, 10], "better") == (1, True)


@pytest.mark.parametrize(
    ("remaining", "volume", "share", "taken", "instrument", "expected"),
    [
        (500, 1_000, None, 0, SHARE, 500),
        (500, 1_000, 0.1, 0, SHARE, 100),
        (-500, 1_000, 0.1, 0, SHARE, -100),
        (50, 1_000, 0.1, 0, SHARE, 50),
        (50, 1_000, 0.1, 60, SHARE, 40),
        (50, 1_000, 0.1, 200, SHARE, 0),
        (5, 9, 0.1, 0, SHARE, 0),
        (5, 9, 0.1, 0, COIN, 0.9),
        (-5, 0, 0.1, 0, COIN, 0),
    ],
)
def test_a_bar_fills_no_more_than_its_share(
    remaining: float, volume: float, share: float | None, taken: float, instrument: Instrument, expected: float
) -> None:
    assert fitting_part(remaining, volume, share, instrument, taken) == pytest.approx(expected)


def test_an_order_waits_for_a_bar_with_volume_for_a_unit() -> None:
    bars = columns([(100, 101, 99, 100)] * 3, volume=[9, 0, 10])

    assert first_fill(OrderType.MARKET, RestingOrder(1), with_volume(bars, None, SHARE), 0, 3)[0] == (0, 100.0, True)
    assert first_fill(OrderType.MARKET, RestingOrder(1), with_volume(bars, 0.1, SHARE), 0, 3)[0] == (2, 100.0, True)
    assert first_fill(OrderType.MARKET, RestingOrder(1), with_volume(bars, 0.1, COIN), 1, 3)[0] == (2, 100.0, True)


@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=12), st.integers(1, 2_000), st.sampled_from([0.1, 0.5, 1.0])
)
def test_the_parts_of_an_order_add_up_to_it_or_to_what_the_volume_allows(
    volumes: list[float], quantity: float, share: float
) -> None:
    bars = with_volume(columns([(100, 101, 99, 100)] * len(volumes), volume=volumes), share, SHARE)
    filled, row = 0.0, 0
    while filled < quantity:
        found, _ = first_fill(OrderType.MARKET, RestingOrder(quantity), bars, row, len(volumes))
        if found is None:
            break
        filled += fitting_part(quantity - filled, volumes[found.row], share, SHARE)
        row = found.row + 1

    assert filled == min(quantity, sum(int(volume * share + 1e-9) for volume in volumes))


def test_the_remainder_of_a_stop_fills_as_a_market_order() -> None:
    order = RestingOrder(-200, stop=99)
    bars = columns([(100, 101, 98, 100), (103, 104, 102, 103)])

    found, state = first_fill(OrderType.STOP, order, bars, 0, 2)
    rest, _ = first_fill(OrderType.STOP, order, bars, 1, 2, state)

    assert found == FillPoint(0, 99, at_open=False)
    assert rest == FillPoint(1, 103, at_open=True)
