"""Positions and open orders over nights: provisioning, locks, corporate actions, symbols without bars."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openbell.actions import ActionStore
from openbell.actions.table import ACTION_SCHEMA
from openbell.store.removal import remove_bars
from openbell.store.store import BarStore
from openbell.testing import make_store
from trading import bars_of, trade

if TYPE_CHECKING:
    from pathlib import Path

DAYS = ("2024-07-02", "2024-07-05")
"""Three sessions, of which 3 July is a half day; 4 July is a holiday."""


def store_with_actions(folder: Path, frames: dict[str, Any], *rows: dict[str, Any]) -> Path:
    store = make_store(folder, frames)
    ActionStore(store).write(pl.DataFrame(list(rows), schema=ACTION_SCHEMA))
    return store


def action(
    kind: str, day: str, value: float | None = None, new: str | None = None, symbol: str = "ABC"
) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "ex_date": date.fromisoformat(day),
        "type": kind,
        "value": value,
        "new_symbol": new,
        "reference": None,
    }


def split_prices(before: float, after: float) -> pl.DataFrame:
    """Minutes of the three sessions, the first one at one price and the others at another."""
    return bars_of([before] * 390 + [after], DAYS)


def test_a_held_symbol_is_provisioned_and_locked_each_morning_until_it_is_flat(tmp_path: Path) -> None:
    frames = {"ABC": {"1m": bars_of([100.0], DAYS)}, "XYZ": {"1m": bars_of([50.0], DAYS)}}
    seen: list[Any] = []

    def setup(self: Any) -> None:
        data = self.context.session_data.get_symbol_data("XYZ")
        seen.append((self.context.symbols, data and (data.added_by, data.auto_provisioned, dict(data.locks))))

    run = trade(
        tmp_path,
        frames,
        {
            "2024-07-02 10:00": lambda s: s.context.order("XYZ", 10),
            "2024-07-03 10:00": lambda s: s.context.close("XYZ"),
        },
        days=DAYS,
        methods={"setup": setup},
    )

    assert seen == [
        (("ABC",), None),
        (("ABC",), ("portfolio", True, {"portfolio": "open position"})),
        (("ABC",), None),
    ]
    assert [(str(f.time.date()), f.quantity) for f in run.fills] == [("2024-07-02", 10.0), ("2024-07-03", -10.0)]
    operations = [r.operation_type for r in run.result.days[1].provisioning if r.source == "portfolio"]
    assert operations == ["bar", "lock", "unlock"]


def test_a_symbol_with_a_position_of_today_cannot_be_removed(tmp_path: Path) -> None:
    frames = {"ABC": {"1m": bars_of([100.0])}, "XYZ": {"1m": bars_of([50.0])}}
    removed: list[bool] = []
    run = trade(
        tmp_path,
        frames,
        {
            "10:00": lambda s: (s.context.add_symbol("XYZ"), s.context.order("XYZ", 10)),
            "10:05": lambda s: removed.append(s.context.remove_symbol("XYZ")),
            "10:10": lambda s: s.context.close("XYZ"),
            "10:15": lambda s: removed.append(s.context.remove_symbol("XYZ")),
        },
    )

    assert removed == [False, True]
    refusals = [r.errors for r in run.result.days[0].provisioning if r.operation_type == "remove" and not r.ok]
    assert refusals == [("XYZ stays: there is an open position in it",)]


def test_a_split_changes_position_and_orders_and_pays_for_the_fraction(tmp_path: Path) -> None:
    store = store_with_actions(
        tmp_path / "s", {"ABC": {"1m": split_prices(90, 60)}}, action("split", "2024-07-03", 1.5)
    )

    def first_day(strategy: Any) -> None:
        strategy.context.order("ABC", 11)
        strategy.context.order("ABC", -8, limit=99, tif="gtc")

    seen: list[Any] = []
    run = trade(
        tmp_path,
        {},
        {"2024-07-02 10:00": first_day, "2024-07-03 10:00": lambda s: seen.append(s.context.portfolio.position("ABC"))},
        days=DAYS,
        store=store,
    )

    assert (seen[0].quantity, seen[0].average_price, seen[0].realized) == (16.0, 60.0, 0.0)
    assert (run.last("probe-2").quantity, run.last("probe-2").limit) == (-12.0, 66.0)
    flows = [flow for day in run.result.days for flow in day.trading.flows]  # type: ignore[union-attr]
    assert [(str(flow.kind), flow.quantity, flow.amount) for flow in flows] == [("fraction", 0.5, 30.0)]
    assert run.result["performance"]["end_equity"] == 100_000.0


def test_a_dividend_is_credited_to_longs_and_debited_to_shorts(tmp_path: Path) -> None:
    frames = {symbol: {"1m": bars_of([100.0], DAYS)} for symbol in ("ABC", "XYZ")}
    store = store_with_actions(
        tmp_path / "s",
        frames,
        action("dividend", "2024-07-03", 0.5),
        action("dividend", "2024-07-05", 0.25, symbol="XYZ"),
    )

    def both(strategy: Any) -> None:
        strategy.context.order("ABC", 100)
        strategy.context.order("XYZ", -40)

    run = trade(tmp_path, {}, {"2024-07-02 10:00": both}, days=DAYS, store=store, symbols=["ABC", "XYZ"])

    assert run.result["performance"]["dividends"] == 50.0 - 10.0
    assert run.result["performance"]["end_equity"] == pytest.approx(100_040.0)


def test_a_position_and_an_order_go_on_under_a_new_name(tmp_path: Path) -> None:
    bars = bars_of([100.0], DAYS)
    first = bars.head(390)
    frames = {"OLD": {"1m": first}, "NEW": {"1m": bars.tail(len(bars) - 390)}, "ABC": {"1m": bars}}
    store = store_with_actions(tmp_path / "s", frames, action("rename", "2024-07-03", new="NEW", symbol="OLD"))

    def first_day(strategy: Any) -> None:
        strategy.context.order("OLD", 10)
        strategy.context.order("OLD", -10, limit=150, tif="gtc")

    run = trade(
        tmp_path,
        {},
        {"2024-07-02 10:00": first_day, "2024-07-05 10:00": lambda s: s.context.close("NEW")},
        days=DAYS,
        store=store,
    )

    assert [(f.symbol, f.quantity) for f in run.fills] == [("OLD", 10.0), ("NEW", -10.0)]
    assert run.last("probe-2").status == "cancelled"
    assert run.last("probe-2").symbol == "NEW"
    assert run.result["performance"]["trades"] == 1


@pytest.mark.parametrize("lots", ["fifo", "average"])
def test_two_symbols_that_get_one_name_are_one_position(tmp_path: Path, lots: str) -> None:
    bars = bars_of([100.0], DAYS)
    later = bars_of([100.0] * 390 + [110.0], DAYS).tail(len(bars) - 390)
    frames = {"ONE": {"1m": bars.head(390)}, "TWO": {"1m": bars.head(390)}, "NEW": {"1m": later}, "ABC": {"1m": bars}}
    renames = [action("rename", "2024-07-03", new="NEW", symbol=symbol) for symbol in ("ONE", "TWO")]
    store = store_with_actions(tmp_path / "s", frames, *renames)

    def first_day(strategy: Any) -> None:
        strategy.context.order("ONE", 10)
        strategy.context.order("TWO", -4)

    seen: list[Any] = []
    run = trade(
        tmp_path,
        {},
        {
            "2024-07-02 10:00": first_day,
            "2024-07-03 10:00": lambda s: seen.append(s.context.portfolio.position("NEW")),
            "2024-07-05 10:00": lambda s: s.context.close("NEW"),
        },
        days=DAYS,
        store=store,
        execution={"lots": lots},
    )

    assert (seen[0].quantity, seen[0].average_price) == (6.0, 100.0)
    earned = run.result.trading.by_symbol  # type: ignore[union-attr]
    assert {symbol: of.net for symbol, of in earned.items()} == {"ONE": 0.0, "TWO": 0.0, "NEW": 60.0}
    assert run.result["performance"]["end_equity"] == 100_060.0
    assert run.desk.account.realized == 60.0


def test_a_held_symbol_that_stops_trading_stays_at_its_last_price_and_is_named(tmp_path: Path) -> None:
    days = ("2024-07-02", "2024-07-12")
    frames = {"ABC": {"1m": bars_of([100.0], days)}, "XYZ": {"1m": bars_of([50.0], "2024-07-02")}}

    def late(strategy: Any) -> None:
        strategy.context.order("XYZ", -10)

    run = trade(
        tmp_path,
        frames,
        {"2024-07-02 10:00": lambda s: s.context.order("XYZ", 10), "2024-07-05 10:00": late},
        days=days,
        symbols=["ABC"],
    )

    # At the clock nobody knows that no bar will come: the order waits for one, to the end of its session.
    assert run.last("probe-2").status == "expired"
    assert f"{run.last('probe-2').time:%m-%d %H:%M}" == "07-05 16:00"
    assert "no bars of XYZ" in run.last("probe-2").reason
    assert run.result["performance"]["end_equity"] == 100_000.0
    assert run.result["days"][1]["trading"]["without_bars"] == {"XYZ": 50.0}
    warnings = [w for w in run.result.warnings if "XYZ" in w]
    assert warnings == [
        (
            "XYZ is held and has had no bars for 5 sessions up to 2024-07-10: 10 units count at their last price of "
            "50, 0.5% of equity. Import its bars, or write execution.no_bars: close_at_last."
        )
    ]


def test_orders_of_a_held_symbol_that_cannot_be_loaded_are_rejected(tmp_path: Path) -> None:
    frames = {symbol: {"1m": bars_of([50.0], DAYS)} for symbol in ("ABC", "XYZ")}
    store = make_store(tmp_path / "store", frames)
    run = trade(
        tmp_path,
        {},
        {
            "2024-07-02 10:00": lambda s: s.context.order("XYZ", 10),
            "2024-07-02 15:00": lambda _: remove_bars(BarStore.open(store), [("XYZ", "1m")]),
            "2024-07-03 10:00": lambda s: s.context.close("XYZ"),
        },
        days=DAYS,
        store=store,
    )

    assert run.last("probe-2").status == "rejected"
    assert run.last("probe-2").reason.startswith("no bars of XYZ: the store")
    assert run.result["days"][1]["trading"]["without_bars"] == {"XYZ": 50.0}


def test_a_position_without_bars_is_closed_at_its_last_price_where_the_config_says_so(tmp_path: Path) -> None:
    days = ("2024-07-02", "2024-07-12")
    frames = {"ABC": {"1m": bars_of([100.0], days)}, "XYZ": {"1m": bars_of([50.0], "2024-07-02")}}
    run = trade(
        tmp_path,
        frames,
        {"2024-07-02 10:00": lambda s: s.context.order("XYZ", 10)},
        days=days,
        execution={"no_bars": "close_at_last"},
    )

    closed = run.result.days[5].trading
    assert closed is not None
    assert [(f.quantity, f.price, f.order.reason) for f in closed.fills] == [
        (-10.0, 50.0, "no bars for 5 sessions; closed at its last price")
    ]
    assert run.statuses("account-1") == ["submitted", "accepted", "filled"]
    assert run.result["performance"]["orders"] == 2
    (told,) = (warning for warning in run.result.warnings if "XYZ" in warning)
    assert "10 units are closed at their last price of 50" in told
    assert told.endswith("or write execution.no_bars: keep.")
    assert not run.desk.account.holdings


def test_an_order_of_an_unknown_symbol_is_rejected_with_the_nearest_name(tmp_path: Path) -> None:
    frames = {"ABC": {"1m": bars_of([100.0])}}
    run = trade(tmp_path, frames, {"10:00": lambda s: s.context.order("ABCD", 10)})

    assert run.statuses("probe-1") == ["submitted", "rejected"]
    assert "has no bars of ABCD" in run.last("probe-1").reason
    assert "Did you mean 'ABC'?" in run.last("probe-1").reason
    assert run.result["performance"]["rejected"] == 1


def test_an_order_of_which_a_split_leaves_no_unit_ends_overnight(tmp_path: Path) -> None:
    frames = {symbol: {"1m": bars_of([100.0], DAYS)} for symbol in ("ABC", "XYZ")}
    store = store_with_actions(tmp_path / "s", frames, action("split", "2024-07-05", 0.1, symbol="XYZ"))

    run = trade(
        tmp_path,
        {},
        {"2024-07-02 10:00": lambda s: s.context.order("XYZ", 5, limit=90, tif="gtc")},
        days=DAYS,
        store=store,
    )

    assert run.statuses("probe-1")[-1] == "cancelled"
    assert run.last("probe-1").reason == "no whole unit of it is left after a split of 0.1 for 1"
    assert len(run.result.days) == 3


def test_an_order_that_a_split_leaves_no_unit_of_is_cancelled_in_the_morning(tmp_path: Path) -> None:
    frames = {"ABC": {"1m": bars_of([100.0], DAYS)}, "XYZ": {"1m": bars_of([10.0] * 600 + [100.0], DAYS)}}
    store = store_with_actions(tmp_path / "s", frames, action("split", "2024-07-05", 0.1, symbol="XYZ"))
    run = trade(
        tmp_path,
        {},
        {"2024-07-02 10:00": lambda s: s.context.order("XYZ", 7, limit=5, tif="gtc")},
        days=DAYS,
        store=store,
    )

    assert run.statuses("probe-1") == ["submitted", "accepted", "cancelled"]
    assert "no whole unit of it is left after a split" in run.last("probe-1").reason
    assert "XYZ" not in run.result.days[2].symbols


@pytest.mark.parametrize("history", [{}, {"historical": {"data": [{"trailing_days": 1, "intervals": ["1m"]}]}}])
def test_a_trailing_stop_that_is_placed_at_the_close_before_a_split_follows_on_the_new_basis(
    tmp_path: Path, history: dict[str, Any]
) -> None:
    """Its stop lies 2 below 50 then, and the price goes up to 52 and down to 49."""
    bars = bars_of([100.0] * 390 + [52.0] * 30 + [51.0] * 30 + [49.0], DAYS)
    store = store_with_actions(tmp_path / "s", {"ABC": {"1m": bars}}, action("split", "2024-07-03", 2.0))
    run = trade(
        tmp_path,
        {},
        {"2024-07-02 16:00": lambda s: s.context.order("ABC", -10, trail=4, tif="gtc")},
        days=DAYS,
        store=store,
        session={"adjustment": "raw", **history},
    )

    assert [(f"{f.time:%d %H:%M}", f.quantity, f.price) for f in run.fills] == [("03 10:30", -20.0, 49.0)]


def test_two_symbols_that_swap_their_names_keep_what_is_their_own(tmp_path: Path) -> None:
    ones, twos = bars_of([100.0] * 390 + [20.0], DAYS), bars_of([20.0] * 390 + [100.0], DAYS)
    renames = [action("rename", "2024-07-03", new=new, symbol=old) for old, new in (("ABC", "XYZ"), ("XYZ", "ABC"))]
    store = store_with_actions(tmp_path / "s", {"ABC": {"1m": ones}, "XYZ": {"1m": twos}}, *renames)

    def first_day(strategy: Any) -> None:
        strategy.context.order("ABC", 10)
        strategy.context.order("XYZ", -7)
        strategy.context.order("ABC", -10, limit=150, tif="gtc")
        strategy.context.order("XYZ", 7, limit=15, tif="gtc")

    def at_the_close(strategy: Any) -> None:
        strategy.context.order_target("ABC", quantity=30)
        strategy.context.order_target("XYZ", quantity=-20)

    def setup(strategy: Any) -> None:
        if strategy.context.session_date == date(2024, 7, 3):
            held = strategy.context.portfolio.positions
            seen.append({symbol: (one.quantity, one.average_price, one.last_price) for symbol, one in held.items()})
            seen.append(
                {
                    order.symbol: (order.limit, order.quantity)
                    for order in strategy.context.portfolio.open_orders()
                    if order.limit
                }
            )
            strategy.context.order_target("XYZ", quantity=0)

    seen: list[Any] = []
    run = trade(
        tmp_path,
        {},
        {"2024-07-02 10:00": first_day, "2024-07-02 16:00": at_the_close},
        days=DAYS,
        store=store,
        symbols=["ABC", "XYZ"],
        methods={"setup": setup},
    )

    assert seen[0] == {"XYZ": (10.0, 100.0, 100.0), "ABC": (-7.0, 20.0, 20.0)}
    assert seen[1] == {"XYZ": (150.0, -10.0), "ABC": (15.0, 7.0)}
    later = [(fill.order.id, fill.symbol, fill.quantity, fill.price) for fill in run.fills[2:]]
    assert later == [("probe-6", "ABC", -13.0, 20.0), ("probe-7", "XYZ", -10.0, 100.0)]
    assert run.last("probe-5").reason == "another target took its place"
    trades = [one for day in run.result.days for one in day.trading.trades]  # type: ignore[union-attr]
    assert [(one.symbol, one.quantity, one.pnl) for one in trades] == [("XYZ", 10.0, 0.0)]
    assert run.result["performance"]["end_equity"] == 100_000.0


@pytest.mark.parametrize("held", [("ONE",), ("ONE", "TWO"), ("TWO", "ONE")])
def test_a_name_that_is_handed_on_the_same_day_is_not_followed_twice(tmp_path: Path, held: tuple[str, ...]) -> None:
    bars = bars_of([100.0], DAYS)
    before, after = bars.head(390), bars.tail(len(bars) - 390)
    frames = {"ABC": bars, "ONE": before, "TWO": bars, "NEW": after}
    renames = [action("rename", "2024-07-03", new=new, symbol=old) for old, new in (("ONE", "TWO"), ("TWO", "NEW"))]
    store = store_with_actions(tmp_path / "s", {name: {"1m": frame} for name, frame in frames.items()}, *renames)
    units, seen = {"ONE": 10, "TWO": 7}, []
    trade(
        tmp_path,
        {},
        {
            "2024-07-02 10:00": lambda s: [s.context.order(symbol, units[symbol]) for symbol in held],
            "2024-07-03 10:00": lambda s: seen.append(
                {p.symbol: p.quantity for p in s.context.portfolio.positions.values()}
            ),
        },
        days=DAYS,
        store=store,
    )

    assert seen == [{{"ONE": "TWO", "TWO": "NEW"}[symbol]: units[symbol] for symbol in held}]


def test_a_split_does_not_change_the_fee_of_what_had_filled(tmp_path: Path) -> None:
    """71 shares and 33 cost the least fee of one order, 71 times three and 33 would cost more."""
    minutes = bars_of([90.0] * 390 + [30.0], DAYS)
    volume = [0.0] * 388 + [71.0, 0.0] + [33.0] * (len(minutes) - 390)
    store = store_with_actions(
        tmp_path / "s",
        {"ABC": {"1m": minutes.with_columns(pl.Series("volume", volume))}},
        action("split", "2024-07-03", 3.0),
    )
    run = trade(
        tmp_path,
        {},
        {"2024-07-02 15:58": lambda s: s.context.order("ABC", 82, tif="gtc")},
        days=DAYS,
        store=store,
        execution={"fills": {"max_volume_share": 1.0}, "fees": {"model": "ibkr_fixed"}},
    )

    assert [fill.quantity for fill in run.fills] == [71.0, 33.0]
    assert sum(fill.fee for fill in run.fills) == 1.0


def test_a_month_begins_in_the_first_tier(tmp_path: Path) -> None:
    days = ("2024-06-28", "2024-07-01")
    buy = 400_000
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([10.0], days)}},
        {
            "2024-06-28 10:00": lambda s: s.context.order("ABC", buy),
            "2024-07-01 10:00": lambda s: s.context.close("ABC"),
        },
        days=days,
        execution={
            "cash": 10_000_000,
            "fees": {"model": "ibkr_tiered", "regulatory": False, "remove_per_share": 0, "clearing_per_share": 0},
        },
    )

    assert run.fills[0].fee == run.fills[1].fee
