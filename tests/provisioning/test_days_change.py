"""A session that is over stays as it was: whoever adds to it meets an error, from any thread, and never another day."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from openbell.compat.requirements import ProvisioningRequirements, analyze_requirements
from openbell.config import IndicatorConfig
from openbell.errors import SessionOverError
from openbell.testing import probe_strategy
from probes import engine, execute, prepared, visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from openbell.engine.system import SystemManager
    from openbell.session import SessionData

DAYS = ("2013-10-08", "2013-10-10")
SMA = IndicatorConfig("sma", period=20, interval="5m")


def everything(session: SessionData) -> dict[str, Any]:
    return {symbol: visible(data) for symbol, data in session.current.items()}


CHANGES: dict[str, Callable[[Any], object]] = {
    "add_symbol": lambda c: c.add_symbol("AIG"),
    "add_symbols": lambda c: c.add_symbols(["AIG"]),
    "add_bar": lambda c: c.add_bar("AIG", "5m"),
    "add_indicator": lambda c: c.add_indicator("AIG", SMA),
    "add_indicators": lambda c: c.add_indicators(["AIG"], [SMA]),
    "remove_symbol": lambda c: c.remove_symbol("SPY"),
    "lock_symbol": lambda c: c.lock_symbol("SPY"),
    "unlock_symbol": lambda c: c.unlock_symbol("SPY"),
    "add_bar_unified": lambda c: c.session_data.add_bar_unified("AIG", "5m"),
    "add_indicator_unified": lambda c: c.session_data.add_indicator_unified("AIG", SMA),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_context_of_yesterday_changes_nothing_and_says_so(minute_store: Path, change: str) -> None:
    contexts: list[Any] = []
    said: list[str] = []

    def setup(self: Any) -> None:
        contexts.append(self.context)
        if len(contexts) == 1:
            return
        yesterday = contexts[-2].session_data
        before, records = everything(yesterday), len(system.coordinator.journal)
        with pytest.raises(SessionOverError, match=f"session of {yesterday.session_date} is over") as raised:
            CHANGES[change](contexts[-2])
        said.append(str(raised.value))
        assert everything(yesterday) == before
        assert len(system.coordinator.journal) == records

    strategy = probe_strategy(subscriptions=[("SPY", "5m")], setup=setup)
    system = engine(minute_store, days=DAYS, strategies=[strategy])
    system.run()

    assert len(said) == 2
    with pytest.raises(SessionOverError, match="session of 2013-10-10 is over"):
        CHANGES[change](contexts[-1])


def test_a_session_is_over_also_when_its_run_failed(minute_store: Path) -> None:
    def fail(self: Any, bar: Any) -> None:
        raise ValueError("on purpose")

    system = engine(minute_store, strategies=[probe_strategy(subscriptions=[("SPY", "5m")], on_bar=fail)])
    with pytest.raises(Exception, match="on purpose"):
        system.run()
    with pytest.raises(SessionOverError):
        system.session_data.add_bar_unified("AIG", "5m")


def analysed(system: SystemManager, **details: Any) -> ProvisioningRequirements:
    kind = "indicator" if "indicator_config" in details else "bar"
    return analyze_requirements(kind, "AIG", "strategy", system.session_data, system.coordinator, **details)


@pytest.mark.parametrize("details", [{"interval": "5m"}, {"interval": "5m", "days": 1}, {"indicator_config": SMA}])
def test_a_requirement_of_one_day_is_refused_on_the_next(minute_store: Path, details: dict[str, Any]) -> None:
    system = prepared(minute_store, days=DAYS)
    req = analysed(system, **details)
    system.coordinator.prepare_day(system.coordinator.days[1])

    assert not execute(system, req)

    assert system.session_data.get_symbol_data("AIG") is None
    (error,) = system.coordinator.journal.records[-1].errors
    assert error == "this was analysed for the session of 2013-10-08, and 2013-10-09 is running; analyse it again"
    assert execute(system, analysed(system, **details))


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            ["create_symbol", "add_interval_5m", "load_historical", "load_session"],
            "whether the store has 5m bars of AIG",
        ),
        (["create_symbol", "add_interval_1m"], "whether the store has 1m bars of AIG"),
        (["create_symbol", "register_indicator"], "no indicator is among the needs"),
    ],
)
@pytest.mark.parametrize("intervals", [[], ["1m", "5m"]])
def test_a_requirement_that_nobody_analysed_makes_no_empty_series(
    minute_store: Path, steps: list[str], words: str, intervals: list[str]
) -> None:
    system = prepared(minute_store)
    req = ProvisioningRequirements(
        symbol="AIG", provisioning_steps=steps, required_intervals=intervals, indicator_config=SMA
    )

    assert not execute(system, req)

    assert system.session_data.get_symbol_data("AIG") is None
    assert words in system.coordinator.journal.records[-1].errors[0]


def test_threads_that_add_while_days_change_get_what_they_asked_for_or_that_the_session_is_over(
    minute_store: Path,
) -> None:
    contexts: list[Any] = []
    over = threading.Event()
    strangers: list[BaseException] = []
    accepted: list[tuple[SessionData, str]] = []
    too_late: Counter[date] = Counter()

    def ask(symbol: str, number: int) -> None:
        while not over.is_set():
            session = system.session_data
            try:
                if number % 2 and contexts:
                    session = contexts[-1].session_data
                    ok = contexts[-1].add_bar(symbol, "5m")
                elif number % 3:
                    ok = session.add_bar_unified(symbol, "5m")
                else:
                    req = analyze_requirements("bar", symbol, "scanner", session, system.coordinator, interval="5m")
                    session = system.session_data
                    ok = execute(system, req) and session.session_date == req.session_date
                if ok:
                    accepted.append((session, symbol))
            except SessionOverError:
                too_late[session.session_date] += 1
            except BaseException as error:  # noqa: BLE001  whatever else is raised fails the test
                strangers.append(error)
                return

    strategy = probe_strategy(
        subscriptions=[("SPY", "1m")], setup=lambda self: contexts.append(self.context), on_bar=lambda self, bar: None
    )
    system = engine(minute_store, days=("2013-10-07", "2013-10-11"), strategies=[strategy])
    threads = [
        threading.Thread(target=ask, args=(symbol, number))
        for number, symbol in enumerate(("AIG", "BAC", "IBM", "AIG"))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            system.run()
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert strangers == []
    assert accepted
    tm = system.time_manager
    for session, symbol in accepted:
        series = session.get_bars(symbol, "5m")
        assert series is not None
        assert {tm.day_of(int(start)) for start in series.today.timestamp} == {session.session_date}
    assert {record.ok for record in system.coordinator.journal.records if record.operation_type == "symbol"} == {True}
