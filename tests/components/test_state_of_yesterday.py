"""A state whose session is over refuses what is written to it, or the run says what was lost."""

from __future__ import annotations

import copy
import json
import threading
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.state import StrategyState
from openbell.errors import DataError, SessionOverError
from openbell.testing import probe_strategy
from probes import engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAYS = ("2013-10-08", "2013-10-10")


def _in_place_or(state: Any) -> None:
    state |= {"b": 2}


def _of_context(strategy: Any) -> None:
    strategy.context.state = {"b": 2}


def _of_strategy(strategy: Any) -> None:
    strategy.state = {"b": 2}


def _or_of_strategy(strategy: Any) -> None:
    strategy.state |= {"b": 2}


WRITES: dict[str, Callable[[Any], object]] = {
    "item": lambda s: s.state.__setitem__("b", 2),
    "the item that is there": lambda s: s.state.__setitem__("a", [1, {"deep": 1}]),
    "del": lambda s: s.state.__delitem__("a"),
    "update": lambda s: s.state.update(b=2),
    "update with nothing": lambda s: s.state.update({}),
    "setdefault": lambda s: s.state.setdefault("b", 2),
    "|=": lambda s: _in_place_or(s.state),
    "pop": lambda s: s.state.pop("a"),
    "pop of what is not there": lambda s: s.state.pop("b", None),
    "popitem": lambda s: s.state.popitem(),
    "clear": lambda s: s.state.clear(),
    "assign": lambda s: s.state.assign({"b": 2}),
    "state of the strategy": _of_strategy,
    "state of the context": _of_context,
    "|= of the strategy": _or_of_strategy,
}


@pytest.mark.parametrize("write", WRITES)
def test_a_strategy_of_yesterday_cannot_write_to_its_state_and_is_told_so(minute_store: Path, write: str) -> None:
    strategies: list[Any] = []
    began: list[dict[str, Any]] = []

    def setup(self: Any) -> None:
        strategies.append(self)
        began.append(dict(self.state))
        self.state["a"] = [1, {"deep": 1}]
        if len(strategies) > 1:
            yesterday = strategies[-2]
            with pytest.raises(SessionOverError, match=f"session of {yesterday.context.session_date} is over"):
                WRITES[write](yesterday)
            assert yesterday.state == {"a": [1, {"deep": 1}]}
            assert yesterday.state.setdefault("a") == [1, {"deep": 1}]  # what is there is only read

    system = engine(minute_store, days=DAYS, strategies=[probe_strategy(subscriptions=[("SPY", "5m")], setup=setup)])
    result = system.run()

    assert began == [{}, {"a": [1, {"deep": 1}]}, {"a": [1, {"deep": 1}]}]
    with pytest.raises(SessionOverError, match="session of 2013-10-10 is over"):
        WRITES[write](strategies[-1])
    assert not [warning for warning in result.warnings if "state" in warning]


CHANGES: dict[str, Callable[[Any], object]] = {
    "append to a list": lambda state: state["a"].append(5),
    "dictionary in a list": lambda state: state["a"][1].update(deep=2),
    "object that is no JSON value": lambda state: state["a"].append(object()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_changed_in_a_state_of_yesterday_is_a_warning_of_the_run(minute_store: Path, change: str) -> None:
    strategies: list[Any] = []

    def setup(self: Any) -> None:
        strategies.append(self)
        self.state["a"] = [1, {"deep": 1}]
        if len(strategies) == 2:
            CHANGES[change](strategies[0].state)

    system = engine(minute_store, days=DAYS, strategies=[probe_strategy(subscriptions=[("SPY", "5m")], setup=setup)])
    result = system.run()

    (warning,) = [warning for warning in result.warnings if "state" in warning]
    assert warning.startswith("strategy ")
    assert "changed state['a'] of the session of 2013-10-08 when that session was over; the change is lost" in warning


def test_what_setup_bars_and_teardown_write_is_kept(minute_store: Path) -> None:
    began: list[dict[str, Any]] = []

    def setup(self: Any) -> None:
        began.append(dict(self.state))
        self.state.update(days=self.state.get("days", 0) + 1)
        self.context.state |= {"of": "context"}

    def teardown(self: Any) -> None:
        self.state["torn down"] = str(self.context.session_date)

    strategy = probe_strategy(subscriptions=[("SPY", "5m")], setup=setup, teardown=teardown)
    engine(minute_store, days=DAYS, strategies=[strategy]).run()

    assert began == [
        {},
        {"days": 1, "of": "context", "torn down": "2013-10-08"},
        {"days": 2, "of": "context", "torn down": "2013-10-09"},
    ]


def test_a_thread_either_has_its_value_saved_or_is_refused(minute_store: Path) -> None:
    states: list[Any] = []
    written: dict[date, int] = {}
    began: list[tuple[date, int]] = []
    over, wrote = threading.Event(), threading.Event()

    def setup(self: Any) -> None:
        began.append((self.context.session_date, self.state.get("count", 0)))
        states.append((self.context.session_date, self.state))
        wrote.clear()
        assert wrote.wait(60)

    def write() -> None:
        while not over.is_set():
            if states:
                day, state = states[-1]
                count = state.get("count", 0) + 1
                try:
                    state["count"] = count
                    written[day] = count
                    wrote.set()
                except SessionOverError:
                    over.wait(0.001)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        engine(minute_store, days=DAYS, strategies=[probe_strategy(subscriptions=[("SPY", "1m")], setup=setup)]).run()
    finally:
        over.set()
        thread.join()

    days = [day for day, _ in began]
    assert [count for _, count in began[1:]] == [written[day] for day in days[:-1]]


def test_the_state_of_a_failed_session_is_over_as_well(minute_store: Path) -> None:
    states: list[Any] = []

    def on_bar(self: Any, bar: Any) -> None:
        states.append(self.state)
        raise ValueError("on purpose")

    system = engine(minute_store, strategies=[probe_strategy(subscriptions=[("SPY", "5m")], on_bar=on_bar)])
    with pytest.raises(Exception, match="on purpose"):
        system.run()
    with pytest.raises(SessionOverError):
        states[0]["late"] = True


def test_the_clock_of_yesterdays_context_stands_still(minute_store: Path) -> None:
    contexts: list[Any] = []
    seen: list[str] = []

    def setup(self: Any) -> None:
        seen.extend(f"{context.now:%Y-%m-%d %H:%M}" for context in contexts)
        assert all(context.local(context.now_ns) == context.now for context in contexts)
        contexts.append(self.context)

    engine(minute_store, days=DAYS, strategies=[probe_strategy(subscriptions=[("SPY", "5m")], setup=setup)]).run()

    assert seen == ["2013-10-08 16:00", "2013-10-08 16:00", "2013-10-09 16:00"]


def test_what_yesterday_did_not_have_is_not_advised_to_be_added(minute_store: Path) -> None:
    contexts: list[Any] = []
    system = engine(minute_store, strategies=[probe_strategy(setup=lambda self: contexts.append(self.context))])
    system.run()
    with pytest.raises(DataError, match=r"no 15m bars of SPY \(it has 1m, 5m\)\. That session is over\.$"):
        contexts[0].bars("SPY", "15m")


def test_an_attribute_of_a_state_is_refused_with_the_way_to_write_it() -> None:
    state = StrategyState()
    with pytest.raises(AttributeError, match=r"write state\['entries'\] = 3"):
        state.entries = 3


def test_a_bad_value_leaves_a_state_that_is_assigned_as_it_was() -> None:
    state = StrategyState(a=1)
    with pytest.raises(TypeError, match="cannot hold"):
        state.assign({"b": 1, "c": object()})
    assert state == {"a": 1}


def test_a_deep_copy_is_a_state_of_its_own_that_can_be_changed() -> None:
    state = StrategyState(a=[1])
    state.end(date(2024, 7, 2))
    twin = copy.deepcopy(state)
    twin["a"].append(2)
    twin["b"] = 1
    assert (json.dumps(state), json.dumps(twin)) == ('{"a": [1]}', '{"a": [1, 2], "b": 1}')
