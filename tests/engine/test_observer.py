"""Observers hear of everything in the order of the session; one that raises does no harm to the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell import SessionObserver, SystemManager, load_config
from openbell.components.strategy import Signal
from openbell.testing import probe_scanner, probe_strategy
from probes import config_of

if TYPE_CHECKING:
    from pathlib import Path

    from openbell import Bar, ProvisioningRecord, RunResult, ScanEvent, SignalEvent

EVENTS = ("provisioned", "scanned", "signalled")


class Listening(SessionObserver):
    """Notes the events and warnings that it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.warnings: list[str] = []

    def provisioned(self, record: ProvisioningRecord) -> None:
        self.heard.append(("provisioned", f"{record.time:%H:%M}", record.symbol))

    def scanned(self, scan: ScanEvent) -> None:
        self.heard.append(("scanned", f"{scan.time:%H:%M}", " ".join(scan.symbols)))

    def signalled(self, signal: SignalEvent) -> None:
        self.heard.append(("signalled", f"{signal.time:%H:%M}", signal.symbol))

    def warned(self, warning: str) -> None:
        self.warnings.append(warning)


class WithBars(Listening):
    """Gets bars as well."""

    def __init__(self) -> None:
        super().__init__()
        self.bars: list[Bar] = []

    def bar_closed(self, bar: Bar) -> None:
        self.bars.append(bar)


class Broken(SessionObserver):
    """Raises in the method of a name."""

    def __init__(self, method: str) -> None:
        def broken(*_: Any) -> None:
            raise ValueError(f"broken in {method}")

        setattr(self, method, broken)


class BrokenBars(SessionObserver):
    """Raises at its first bar."""

    def bar_closed(self, bar: Bar) -> None:
        raise ValueError("broken in bar_closed")


def config(**keys: Any) -> dict[str, Any]:
    """A session with an addition at 10:00, and a signal at 10:30."""
    scan = probe_scanner("10:00", scan=lambda s: ["IBM"] if s.context.add_symbol("IBM") else [])
    watch = probe_strategy(
        subscriptions=[("SPY", "30m")],
        on_bar=lambda s, bar: Signal("SPY", "HOLD") if f"{s.context.now:%H:%M}" == "10:30" else None,
    )
    return config_of(scanners=[scan], strategies=[watch], streams=["30m"], **keys)


def run(store: Path, *observers: SessionObserver, **keys: Any) -> RunResult:
    return SystemManager(load_config(config(**keys)), store=store, observer=observers).run()


def test_events_come_in_the_order_of_the_session(minute_store: Path) -> None:
    observer = Listening()

    run(minute_store, observer)

    assert observer.heard == [
        ("provisioned", "09:30", "SPY"),
        ("provisioned", "09:30", "SPY"),
        ("provisioned", "10:00", "IBM"),
        ("scanned", "10:00", "IBM"),
        ("signalled", "10:30", "SPY"),
    ]


def test_an_observer_that_defines_bar_closed_gets_the_bars_of_every_series(minute_store: Path) -> None:
    observer = WithBars()

    result = run(minute_store, observer)

    day = result.days[0]
    series = {(name, i): bars for name, symbol in day.symbols.items() for i, bars in symbol.bars.items()}
    heard = {key: sum((bar.symbol, bar.interval) == key for bar in observer.bars) for key in series}
    assert heard[("SPY", "1m")] == series[("SPY", "1m")].session_rows == 390
    assert heard[("SPY", "30m")] == 13
    assert heard[("IBM", "30m")] == 12, "IBM was added at 10:00"
    assert [bar.end for bar in observer.bars] == sorted(bar.end for bar in observer.bars)


def test_bars_for_an_observer_change_nothing_of_the_result(minute_store: Path) -> None:
    without, with_bars = run(minute_store), run(minute_store, WithBars())

    assert with_bars.days[0].callbacks == without.days[0].callbacks == 13
    assert with_bars["days"][0]["symbols"] == without["days"][0]["symbols"]
    assert with_bars["days"][0]["signals"] == without["days"][0]["signals"]


@pytest.mark.parametrize(
    "method",
    ["run_started", "day_started", "provisioned", "day_prepared", "scanned", "signalled", "advanced", "day_ended"],
)
def test_one_that_raises_is_reported_and_the_run_goes_on_without_it(
    minute_store: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Listening()

    result = run(minute_store, Broken(method), other)

    [warning] = result.warnings
    assert warning == f"the observer Broken raised ValueError: broken in {method}. The run continues without it."
    assert other.warnings == [warning]
    assert [kind for kind, _, _ in other.heard] == [*["provisioned"] * 3, "scanned", "signalled"]
    assert all(record.ok for record in result.days[0].provisioning)
    assert "Traceback" in capsys.readouterr().err


def test_one_that_raises_at_a_bar_is_no_error_of_a_strategy(minute_store: Path) -> None:
    result = run(minute_store, BrokenBars())

    assert [w.partition(":")[0] for w in result.warnings] == ["the observer BrokenBars raised ValueError"]
    assert result.days[0].callbacks == 13
