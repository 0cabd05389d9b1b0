"""A config is validated as a whole, without data, and all problems are reported together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell.config import load_config
from openbell.engine.config_summary import summarise_config
from openbell.engine.preflight import check_config, require_good_config
from openbell.errors import InvalidConfigError

if TYPE_CHECKING:
    from pathlib import Path

COMPONENTS = """\
from openbell.components.scanner import Scanner
from openbell.components.strategy import Strategy

class Scan(Scanner):
    def scan(self):
        return []

class Trade(Strategy):
    def subscriptions(self):
        return []

    def on_bar(self, bar):
        return None
"""


def found(config: dict[str, Any]) -> list[str]:
    return [str(finding) for finding in check_config(load_config(config))]


def small(**keys: Any) -> dict[str, Any]:
    """A small good config, with more keys at its top."""
    return {
        "backtest_config": {"start_date": "2013-10-10", "end_date": "2013-10-11"},
        "session_data_config": {"symbols": ["SPY"]},
        **keys,
    }


def with_indicator(**keys: Any) -> dict[str, Any]:
    return small(session_data_config={"symbols": ["SPY"], "indicators": [keys]})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that holds a scanner, a strategy and a universe."""
    (tmp_path / "mine.py").write_text(COMPONENTS)
    (tmp_path / "universe.txt").write_text("AIG\nBAC\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("last", ["9999-12-31", "0001-01-01"])
def test_days_from_the_first_that_there_is_are_not_taken_for_none(last: str) -> None:
    (problem,) = found(small(backtest_config={"start_date": "0001-01-01", "end_date": last}))

    assert problem.startswith("backtest_config: 0001-01-01 is outside the calendar: XNYS is known from")


def test_a_good_config_has_no_findings_and_a_summary(folder: Path) -> None:
    config = load_config(
        small(
            scanners=[{"module": "mine.py:Scan", "pre_session": True, "universe": "universe.txt"}],
            strategies=[{"module": "mine:Trade"}],
            session_data_config={
                "symbols": ["SPY"],
                "streams": ["1m", "1h"],
                "indicators": [{"name": "SMA", "period": 20, "interval": "5m"}, {"name": "vwap", "interval": "5m"}],
            },
        )
    )

    require_good_config(config)
    summary = summarise_config(config)

    assert [str(day) for day in summary.days] == ["2013-10-10", "2013-10-11"]
    assert summary.streams == ("1m", "60m")
    assert summary.indicators == ("sma_20_5m", "vwap_5m")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (small(exchange="XNYC"), "exchange: unknown calendar 'XNYC'. Did you mean "),
        (
            small(backtest_config={"start_date": "2013-10-12", "end_date": "2013-10-13"}),
            "backtest_config: XNYS has no session from 2013-10-12 to 2013-10-13. The nearest sessions are 2013-10-11",
        ),
        (small(backtest_config={"start_date": "1066-10-14", "end_date": "1066-10-15"}), "backtest_config: 1066-10-14"),
        (with_indicator(name="smaa"), "session_data_config.indicators[0]: unknown indicator 'smaa'. Did you mean "),
        (
            with_indicator(name="sma", params={"timeperiodd": 3}),
            "unknown parameter 'timeperiodd'. Did you mean 'timeperiod'?",
        ),
        (with_indicator(name="sma", period=2.5), "timeperiod must be a whole number, not 2.5"),
        (with_indicator(name="opening_range", interval="1d"), "opening_range needs intraday bars"),
        (with_indicator(name="opening_range", interval="60m"), "first 30 minutes of a session, and no 60m bar ends"),
        (small(strategies=[{"module": "none.py:Trade"}]), "strategies[0].module: the file "),
        (
            small(strategies=[{"module": "mine.py:Trad"}]),
            "strategies[0].module: mine.py: unknown class 'Trad'. Did you mean 'Trade'?",
        ),
        (small(strategies=[{"module": "mine.py:Scan"}]), "strategies[0].module: mine.py:Scan is not a strategy"),
        (
            small(scanners=[{"module": "mine.py:Trade", "pre_session": True}]),
            "scanners[0].module: mine.py:Trade is not a scanner",
        ),
        (
            small(scanners=[{"module": "mine.py:Scan", "pre_session": True, "universe": "u.txt"}]),
            "scanners[0].universe: the universe file ",
        ),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(folder: Path, config: dict[str, Any], message: str) -> None:
    findings = found(config)

    assert len(findings) == 1, findings
    assert message in findings[0]


def test_the_same_indicator_in_two_spellings_is_reported(folder: Path) -> None:
    twice = [
        {"name": "sma", "period": 30, "interval": "5m"},
        {"name": "sma", "interval": "5m", "params": {"timeperiod": 30}},
    ]

    findings = found(small(session_data_config={"symbols": ["SPY"], "indicators": twice}))

    assert findings == [
        "session_data_config.indicators[1]: it is the same as one before it: both are sma_30_5m. Take one out."
    ]


def test_extended_hours_where_none_are_known_are_reported(folder: Path) -> None:
    findings = found(small(exchange="XHKG", session_data_config={"symbols": ["700"], "session_hours": "extended"}))

    assert len(findings) == 1
    assert findings[0].startswith("session_data_config.session_hours: ")


def test_all_problems_are_reported_together(folder: Path) -> None:
    config = load_config(
        small(
            exchange="NOWHERE",
            session_data_config={"symbols": ["SPY"], "indicators": [{"name": "smaa"}, {"name": "emaa"}]},
            scanners=[{"module": "none:Scan", "pre_session": True, "universe": "none.txt"}],
            strategies=[{"module": "none:Trade"}],
        )
    )

    with pytest.raises(InvalidConfigError) as caught:
        require_good_config(config)

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "exchange",
        "session_data_config.indicators[0]",
        "session_data_config.indicators[1]",
        "scanners[0].module",
        "scanners[0].universe",
        "strategies[0].module",
    ]


@pytest.mark.parametrize("later", [None, "", "# a line more\n# and one\n", "? [a, b]\n: 1\n", "a: [\n", "{1: 2}"])
def test_lines_are_those_of_the_file_as_it_was_read(tmp_path: Path, later: str | None) -> None:
    path = tmp_path / "session.yaml"
    text = (
        "backtest_config: {start_date: 2013-10-10, end_date: 2013-10-11}\n"
        "session_data_config:\n"
        "  symbols: [SPY]\n"
        "  indicators:\n"
        "    - {name: smaa, period: 5, interval: 5m}\n"
    )
    path.write_text(text, encoding="utf-8")
    config = load_config(path)
    if later is None:
        path.unlink()
    else:
        path.write_text(later + text, encoding="utf-8")

    with pytest.raises(InvalidConfigError, match=r"unknown indicator 'smaa'.* \(line 5\)$"):
        require_good_config(config)


def scheduled(start: str, end: str, **keys: Any) -> dict[str, Any]:
    schedule = [{"start": start, "end": end, "every": "1h"}]
    return small(scanners=[{"module": "mine.py:Scan", "universe": ["AIG"], "schedule": schedule}], **keys)


def test_a_schedule_over_midnight_needs_a_session_that_trades_then(folder: Path) -> None:
    (problem,) = found(scheduled("15:00", "10:00"))
    assert problem == (
        "scanners[0].schedule[0].end: 10:00 is before start 15:00, and no session trades over midnight: they are from "
        "09:30 to 16:00. Swap start and end, or correct them."
    )
    for exchange in ("CMES", "24/7", "FX"):
        assert found(scheduled("18:00", "02:00", exchange=exchange)) == []


@pytest.mark.parametrize(
    ("execution", "message"),
    [
        ({"fees": {"model": "ibkr_fixd"}}, "execution.fees: unknown fee model 'ibkr_fixd'. Did you mean 'ibkr_fixed'"),
        ({"slippage": {"model": "bps"}}, "execution.slippage: the slippage model bps needs bps."),
    ],
)
def test_models_of_costs_that_are_not_there_are_reported(folder: Path, execution: dict[str, Any], message: str) -> None:
    (reported,) = found(small(execution=execution))

    assert reported.startswith(message)


def test_a_strategys_file_may_bring_its_own_fee_model(folder: Path) -> None:
    (folder / "fees.py").write_text(
        COMPONENTS
        + """
from dataclasses import dataclass
from openbell.execution.fees import FEE_MODELS

@dataclass(frozen=True)
class PreflightFees:
    ticket: float

    def fee(self, quantity, price, instrument, *, maker=False, month_volume=0.0):
        return self.ticket

FEE_MODELS.add("preflight", PreflightFees)
"""
    )
    strategies = [{"module": "fees.py:Trade"}]

    assert found(small(strategies=strategies, execution={"fees": {"model": "preflight", "ticket": 1}})) == []
