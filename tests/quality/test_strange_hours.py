"""Symbols whose bars lie mostly outside the hours of the config's exchange are asked about before a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell import SystemManager
from openbell.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

QUESTION = "lie outside the hours of"


def config(exchange: object, **keys: Any) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "backtest_config": {"start_date": "2024-07-08", "end_date": "2024-07-10"},
        "session_data_config": {"symbols": ["IBM"], **keys},
    }


def stored(folder: Path, exchange: str, **keys: Any) -> Path:
    return made_store(folder / "store", ["IBM"], "2024-06-28", "2024-07-12", exchange=exchange, **keys)


def warnings(store: Path, exchange: object, **keys: Any) -> list[str]:
    system = SystemManager(config(exchange, **keys), store=store)
    return [warning for warning in system.plan().warnings if QUESTION in warning]


@pytest.mark.parametrize(
    ("bars", "exchange"),
    [
        ("XNYS", "XLON"),
        ("XLON", "XNYS"),  # much of it in the pre-market
        ("XETR", "US_EQUITY"),
        ("XTKS", "XNYS"),
        ("24/7", "XNYS"),
        ("US_FUTURES", "XNYS"),
        ("XNYS", "XHKG"),
        ("XNYS", {"name": "NIGHT", "timezone": "America/New_York", "open": "18:00", "close": "04:00"}),
    ],
)
def test_bars_of_another_exchange_are_asked_about(tmp_path: Path, bars: str, exchange: object) -> None:
    (warning,) = warnings(stored(tmp_path, bars), exchange)

    assert "IBM (" in warning
    assert "One config has one exchange" in warning


@pytest.mark.parametrize(
    ("bars", "exchange", "hours"),
    [
        ("XNYS", "XNYS", "regular"),
        ("XNYS", "XNYS", "extended"),  # a session of regular hours has what of them it needs
        ("XNYS", "24/7", "regular"),
        ("XNYS", "US_FUTURES", "regular"),
        ("XHKG", "XHKG", "regular"),
        ("US_FUTURES", "CMES", "regular"),
        ("US_FUTURES", "US_FUTURES", "regular"),
        (
            "US_FUTURES",
            {
                "name": "RTH", "like": "US_FUTURES", "open": "08:30", "close": "15:00",
                "extended": {"like": "US_FUTURES"},
            },
            "regular",
        ),
    ],
)  # fmt: skip
def test_bars_of_the_exchange_are_not(tmp_path: Path, bars: str, exchange: object, hours: str) -> None:
    store = stored(tmp_path, bars, session_hours=hours)

    assert warnings(store, exchange) == []
    if hours == "extended":
        assert warnings(store, exchange, session_hours="extended") == []


def test_plan_and_run_print_it_with_the_share_and_the_command(tmp_path: Path) -> None:
    store = stored(tmp_path, "XNYS")
    (tmp_path / "london.json").write_text(json.dumps(config("XLON")))
    for command in ("plan", "run"):
        told = CliRunner().invoke(app, [command, str(tmp_path / "london.json"), "--store", str(store)])
        text = " ".join(told.stderr.split())
        assert "of IBM (30.8 % of its 1m bars of 2024-07-08 to 2024-07-10 lie in regular hours)" in text
        assert f"openbell data check IBM --store {store} --exchange XLON" in text


def test_daily_bars_have_no_hours(tmp_path: Path) -> None:
    assert warnings(stored(tmp_path, "XNYS", intervals=["1d"]), "XLON", streams=["1d"]) == []
