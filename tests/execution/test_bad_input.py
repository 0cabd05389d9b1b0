"""Orders that cannot be: the run goes on where the data is to blame, and ends where the code is, always with words."""

from __future__ import annotations

from datetime import date, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from openbell import Signal
from openbell.errors import ComponentError, DataError, OpenbellError, OrderError, SessionOverError
from openbell.testing import probe_strategy
from trading import bars_of, trade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLAT = {"ABC": {"1m": bars_of([100.0])}}
DAYS = ("2024-07-02", "2024-07-03")


def raised_by(tmp_path: Path, do: Callable[[Any], object]) -> BaseException | None:
    with pytest.raises(ComponentError) as raised:
        trade(tmp_path, FLAT, {"10:00": do})
    return raised.value.__cause__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"type": "markt"}, "unknown order type 'markt'. Did you mean 'market'"),
        ({"type": 7}, "unknown order type '7'"),
        ({"tif": "gct"}, "unknown time in force 'gct'. Did you mean 'gtd' or 'gtc'?"),
        ({"quantity": float("nan")}, "a quantity is a number of units, positive to buy and negative to sell, not nan"),
        ({"quantity": "10"}, "not '10'"),
        ({"quantity": True}, "not True"),
        ({"quantity": None}, "not None"),
        ({"limit": -1}, "limit is -1; it must be above zero"),
        ({"limit": 0}, "limit is 0; it must be above zero"),
        ({"stop": float("inf")}, "stop is a number above zero, not inf"),
        ({"limit": "99"}, "limit is a number above zero, not '99'"),
        ({"type": "market", "limit": 99}, "a market order has no price; this one has limit="),
        ({"type": "stop_limit", "limit": 99}, "a stop_limit order has limit= and stop=; this one has limit="),
        ({"trail": 1, "stop": 99}, "a trailing_stop order has either trail= or trail_percent=, and nothing else"),
        ({"trail_percent": 100}, "trail_percent is 100; it must be above zero and below 100"),
        ({"tif": "gtd"}, 'an order until a date has both tif="gtd" and until='),
        ({"until": date(2024, 7, 3)}, 'an order until a date has both tif="gtd" and until='),
        ({"tif": "gtd", "until": "2024-07-03"}, "until is a date such as date(2024, 3, 28), not '2024-07-03'"),
        ({"tif": "gtd", "until": datetime(2024, 7, 3)}, "until is a date such as"),  # noqa: DTZ001
        ({"extended": True}, "only limit orders fill outside of regular hours"),
        ({"symbol": 7}, "a symbol is a text such as 'SPY', not 7"),
        ({"symbol": ""}, "a symbol is a text such as 'SPY', not ''"),
        ({"tag": 1}, "a tag is a text, not 1"),
    ],
)
def test_an_order_that_contradicts_itself_ends_the_run_at_its_line(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    given = {"symbol": "ABC", "quantity": 10} | arguments
    symbol, quantity = given.pop("symbol"), given.pop("quantity")

    error = raised_by(tmp_path, lambda s: s.context.order(symbol, quantity, **given))

    assert isinstance(error, OpenbellError)
    assert message in str(error)


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda c: c.bracket("ABC", 10), "a bracket has stop= or target=, or both"),
        (lambda c: c.bracket("ABC", 10, stop=110, target=90), "a bracket that buys has its stop below its target"),
        (lambda c: c.bracket("ABC", 1, stop=41234.57, target=41234.56), "not 41234.57 and 41234.56"),
        (lambda c: c.bracket("ABC", -10, stop=90, target=110), "sells short has its stop above its target"),
        (lambda c: c.bracket("ABC", 0, stop=90), "a bracket of 0 units does nothing"),
        (lambda c: c.order_target("ABC"), "one of quantity=, value= and percent=; it has 0 of them"),
        (lambda c: c.order_target("ABC", percent=10, value=1), "it has 2 of them"),
        (lambda c: c.order_target("ABC", percent=float("nan")), "percent is a number, not nan"),
        (lambda c: c.cancel(7), "an order is what order() returned, or its id, not 7"),
        (lambda c: c.replace(c.order("ABC", 10, limit=90), stop=80), "is a limit order without stop="),
        (lambda c: c.replace(c.order("ABC", 10, limit=90), trail=1), "is a limit order without trail="),
        (lambda c: c.replace(c.order("ABC", 10, trail=5), trail_percent=1), "without trail_percent="),
        (lambda c: c.replace(c.order("ABC", 10, trail_percent=5), trail_percent=100), "and below 100"),
        (lambda c: c.replace(c.order("ABC", 10, limit=90), quantity=-5), "would turn it round"),
        (
            lambda c: c.order("ABC", 10, side="sell"),
            "order() has no side=: a positive quantity buys, and a negative one",
        ),
        (lambda c: c.order("ABC", 10, stop_loss=95), "order() has no stop_loss=. An entry with exits is a bracket"),
        (
            lambda c: c.order("ABC", "BUY", 10),
            "order() takes symbol and quantity by position, all others by name. A",
        ),
        (lambda c: c.order("ABC", 10, 101), "such as limit=101"),
        (lambda c: c.order("ABC", qty=10), "order() has no qty=. Did you mean quantity=?"),
        (lambda c: c.order("ABC"), "order() needs quantity as well"),
        (lambda c: c.order("ABC", 10, price=99), "order() has no price=. Did you mean limit= or stop=?"),
        (lambda c: c.order("ABC", 10, limt=99), "order() has no limt=. Did you mean 'limit'?"),
        (lambda c: c.order("ABC", 10, colour="red"), "order() has no colour=. It takes symbol, quantity, type, limit"),
        (lambda c: c.order_target("ABC", 10), "Say what it is: quantity=10, value=10 or percent=10"),
        (lambda c: c.order_target("ABC", target_percent=10), "Did you mean percent=?"),
        (lambda c: c.bracket("ABC", 10, stop_loss=95, target=105), "bracket() has no stop_loss=. Did you mean stop=?"),
        (lambda c: c.bracket("ABC", 10, take_profit=105), "bracket() has no take_profit=. Did you mean target=?"),
        (lambda c: c.replace("probe-1", price=99), "replace() has no price=. Did you mean limit= or stop=?"),
        (lambda c: c.close("ABC", 10), "close() takes symbol by position, all others by name"),
        (lambda c: c.cancel_all(ticker="ABC"), "Did you mean symbol=?"),
    ],
)
def test_so_does_whatever_else_makes_no_sense(tmp_path: Path, do: Callable[[Any], object], message: str) -> None:
    error = raised_by(tmp_path, lambda s: do(s.context))

    assert isinstance(error, OrderError)
    assert message in str(error)


@pytest.mark.parametrize(
    "do",
    [
        lambda c: c.close("ABD"),
        lambda c: c.cancel_all("ABD"),
        lambda c: c.portfolio.position("ABD"),
        lambda c: c.portfolio.open_orders("ABD"),
    ],
)
def test_a_symbol_that_nobody_knows_is_an_error_with_the_nearest(tmp_path: Path, do: Callable[[Any], object]) -> None:
    error = raised_by(tmp_path, lambda s: do(s.context))

    assert isinstance(error, DataError)
    assert "has no bars of ABD. Did you mean 'ABC'?" in str(error)


def test_a_symbol_that_the_session_does_not_have_is_flat(tmp_path: Path) -> None:
    frames = {"ABC": {"1m": bars_of([100.0])}, "XYZ": {"1m": bars_of([50.0])}}
    seen: list[Any] = []

    def look(strategy: Any) -> None:
        context = strategy.context  # one symbol is in the store only, and of the other one there are no bars
        seen.extend((context.portfolio.position(name).quantity, context.close(name)) for name in ("XYZ", "DROPPED"))

    trade(tmp_path, frames, {"10:00": look}, symbols=["ABC", "DROPPED"])

    assert seen == [(0.0, None), (0.0, None)]


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (lambda c: c.order("ABC", 0), "a quantity of 0 is no order"),
        (
            lambda c: c.order("ABC", 1, tif="gtd", until=date(2024, 7, 1)),
            "its last day, 2024-07-01, is before the session",
        ),
        (lambda c: c.order("NOPE", 1), "has no bars of NOPE"),
        (lambda c: c.order_target("NOPE", percent=10), "has no bars of NOPE"),
    ],
)
def test_what_data_makes_impossible_is_rejected_and_the_run_goes_on(
    tmp_path: Path, do: Callable[[Any], object], reason: str
) -> None:
    run = trade(tmp_path, FLAT, {"10:00": lambda s: do(s.context), "10:05": lambda s: s.context.order("ABC", 1)})

    assert run.statuses("probe-1")[-1] == "rejected"
    assert reason in run.last("probe-1").reason
    assert len(run.fills) == 1


def test_a_signal_says_what_it_takes() -> None:
    with pytest.raises(TypeError, match=r"Signal\(\) has no stop_loss=. Did you mean stop=\?"):
        Signal("ABC", "BUY", stop_loss=95)  # type: ignore[call-arg]  # the mistake


def test_a_type_error_of_ones_own_stays_what_it_is(tmp_path: Path) -> None:
    class Odd(str):
        def __bool__(self) -> bool:
            raise TypeError("no truth")

    error = raised_by(tmp_path, lambda s: s.context.order(Odd("ABC"), 10))

    assert isinstance(error, TypeError)
    assert str(error) == "no truth"


def test_cancelling_what_is_over_returns_false(tmp_path: Path) -> None:
    answers: list[bool] = []
    placed: list[Any] = []
    trade(
        tmp_path,
        FLAT,
        {
            "10:00": lambda s: placed.append(s.context.order("ABC", 1)),
            "10:05": lambda s: answers.extend(
                [
                    s.context.cancel(placed[0]),
                    s.context.replace(placed[0], quantity=2),
                    s.context.cancel("no-such-order"),
                ]
            ),
        },
    )

    assert answers == [False, False, False]


def test_orders_in_teardown_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"teardown raised SessionOverError.*takes no orders"):
        trade(tmp_path, FLAT, methods={"teardown": lambda s: s.context.order("ABC", 1)})


def test_a_strategy_of_yesterday_and_another_thread_are_refused(tmp_path: Path) -> None:
    kept: list[Any] = []
    errors: list[BaseException] = []

    def from_a_thread(strategy: Any) -> None:
        def work() -> None:
            try:
                strategy.context.order("ABC", 1)
            except OrderError as error:
                errors.append(error)

        thread = Thread(target=work)
        thread.start()
        thread.join()

    def by_yesterdays(strategy: Any) -> None:
        try:
            kept[0].context.order("ABC", 1)
        except SessionOverError as error:
            errors.append(error)

    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0], DAYS)}},
        {
            "2024-07-02 10:00": lambda s: (kept.append(s), from_a_thread(s)),
            "2024-07-03 10:00": by_yesterdays,
        },
        days=DAYS,
    )

    assert "on the session's own thread" in str(errors[0])
    assert "the session of 2024-07-02 is over, and takes no orders" in str(errors[1])
    with pytest.raises(SessionOverError):
        kept[0].context.order("ABC", 1)
    assert not run.orders


def test_a_strategy_that_orders_on_every_fill_for_ever_ends_with_a_word_about_it(tmp_path: Path) -> None:
    with pytest.raises(
        ComponentError, match=r"led to further ones 100 times at one time.*Let on_fill and on_order end"
    ):
        trade(
            tmp_path,
            FLAT,
            {"10:00": lambda s: s.context.order("ABC", 1)},
            methods={"on_fill": lambda s, f: s.context.order("ABC", -f.quantity)},
            execution={"fills": {"market": "this_close"}},
        )


def test_the_strategy_that_orders_for_ever_is_named_and_no_other(tmp_path: Path) -> None:
    def strategy(name: str, on_fill: Callable[..., object]) -> dict[str, Any]:
        def on_bar(self: Any, _: Any) -> None:
            if f"{self.context.now:%H:%M}" == "10:00":
                self.context.order("ABC", 1)

        return {**probe_strategy(subscriptions=[("ABC", "1m")], on_bar=on_bar, on_fill=on_fill), "name": name}

    calm = strategy("calm", lambda _, __: None)
    endless = strategy("endless", lambda s, f: s.context.order("ABC", -f.quantity))

    with pytest.raises(ComponentError, match=r"strategy endless\.on_fill raised OrderError"):
        trade(tmp_path, FLAT, strategies=[calm, endless], execution={"fills": {"market": "this_close"}})


def test_at_the_next_open_ordering_on_every_fill_goes_on_bar_by_bar(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        FLAT,
        {"15:55": lambda s: s.context.order("ABC", 1)},
        methods={"on_fill": lambda s, f: s.context.order("ABC", -f.quantity)},
    )

    # Each fills in the bar after the one before is known; the last is the next session's, of which there is none.
    assert [fill.quantity for fill in run.fills] == [1.0, -1.0, 1.0, -1.0, 1.0]
    assert len(run.desk.open_orders.by_id) == 1


@pytest.mark.long
def test_a_hundred_thousand_orders_in_a_day(tmp_path: Path) -> None:
    def many(strategy: Any) -> None:
        for n in range(100_000):
            strategy.context.order("ABC", 1 if n % 2 else -1, limit=50 if n % 2 else 150)

    run = trade(
        tmp_path,
        FLAT,
        {"10:00": many},
        execution={"leverage": 1000, "cash": 1e9},
    )

    assert run.result["performance"]["orders"] == 100_000
    assert run.last("probe-100000").status == "expired"


@pytest.mark.parametrize(
    ("execution", "message"),
    [
        ({"fees": {"model": "ibkr_fix"}}, "unknown fee model 'ibkr_fix'. Did you mean 'ibkr_fixed'"),
        ({"slippage": {"model": "bp"}}, "unknown slippage model 'bp'. Did you mean 'bps'"),
    ],
)
def test_a_model_that_does_not_exist_is_refused_before_the_run_with_the_nearest(
    tmp_path: Path, execution: dict[str, Any], message: str
) -> None:
    with pytest.raises(OpenbellError, match=message):
        trade(tmp_path, FLAT, execution=execution)


def test_a_strategy_that_orders_on_every_rejection_for_ever_is_told_where_it_does(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=r"probe.on_order raised .* led to further ones 100 times at one time"):
        trade(
            tmp_path,
            FLAT,
            {"10:00": lambda s: s.context.order("ABC", 1.5)},
            methods={"on_order": lambda s, o: s.context.order("ABC", 1.5) if o.status == "rejected" else None},
        )
