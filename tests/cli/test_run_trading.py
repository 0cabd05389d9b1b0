"""`openbell run` of a config that trades ends with what it earned, and leaves it in the run folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell import SystemManager, load_config
from openbell.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

STRATEGY = """
from datetime import time

from openbell import Strategy


class RoundTrip(Strategy):
    too_late = time(15, 51)

    def subscriptions(self):
        return [(symbol, "1m") for symbol in self.context.symbols]

    def on_bar(self, bar):
        clock = f"{self.context.now:%H:%M}"
        if clock == "10:00":
            self.context.order(bar.symbol, 10, tag="morning")
        elif clock == "10:30":
            self.context.close(bar.symbol)
        elif self.context.now.time() == self.too_late and bar.symbol == "ACME":
            self.context.order(bar.symbol, 10, type="market_on_close")
"""
EXECUTION = {"cash": 50_000.0, "fees": {"model": "per_share", "per_share": 0.01}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trading")
    made_store(path / "store", ["ACME", "BETA"], "2024-07-01", "2024-07-10", intervals=["1m"])
    (path / "trip.py").write_text(STRATEGY, encoding="utf-8")
    return path


def run(folder: Path, out: Path, last: str = "2024-07-02", *words: str, width: int = 140, **more: Any) -> Any:
    config = {
        "store": "store",
        "session_name": "trip",
        "backtest_config": {"start_date": "2024-07-01", "end_date": last},
        "session_data_config": {"symbols": ["ACME", "BETA"], "streams": ["1m"]},
        "strategies": [{"module": "trip.py:RoundTrip"}],
        **more,
    }
    file = folder / f"{out.name}.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    return CliRunner().invoke(app, ["run", str(file), "--out", str(out), *words], env={"COLUMNS": str(width)})


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_it_ends_with_what_it_earned_assumed_and_rejected(folder: Path, tmp_path: Path) -> None:
    result = run(folder, tmp_path / "run", execution=EXECUTION)

    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "The run, 2 sessions, 2024-07-01 to 2024-07-02" in text
    assert "orders accepted 8" in text
    assert "orders rejected 2" in text
    assert "trades closed 4" in text
    assert "fees 0.80" in text
    assert "assumed market orders fill at the next bar's open" in text
    assert "fees: per_share (per_share 0.01); slippage: none" in text
    assert "rejected 2 orders:" in text
    assert "ACME buy 10 market on close: " in text


def test_the_run_folder_has_it_in_parquet_and_json(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "run", execution=EXECUTION)

    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    frames = {name: pl.read_parquet(tmp_path / "run" / f"{name}.parquet") for name in ("orders", "fills", "trades")}
    equity = pl.read_parquet(tmp_path / "run" / "equity.parquet")
    performance = summary["performance"]
    assert performance["orders"] == frames["orders"].filter(pl.col("status") != "rejected").height == 8
    assert performance["rejected"] == frames["orders"].filter(status="rejected").height == 2
    assert performance["fills"] == frames["fills"].height == 8
    assert performance["trades"] == frames["trades"].height == 4
    assert frames["trades"]["tag"].to_list() == ["morning"] * 4
    assert frames["trades"]["held"].dt.total_minutes().to_list() == [30] * 4
    assert frames["trades"]["pnl"].sum() - frames["trades"]["fees"].sum() == pytest.approx(performance["net_profit"])
    assert equity["equity"][-1] == pytest.approx(performance["end_equity"])
    assert equity.height == 780
    assert performance["exposure"] == pytest.approx((equity["exposure"] > 0).mean())
    assert [fill["id"] for fill in lines_of(tmp_path / "run" / "fills.jsonl")] == frames["fills"]["id"].to_list()
    last_lines = {order["id"]: order for order in lines_of(tmp_path / "run" / "orders.jsonl")}
    rows = frames["orders"].select("id", "status", "filled_quantity").rows()
    assert rows == [(id_, order["status"], order["filled_quantity"]) for id_, order in last_lines.items()]


def test_many_sessions_have_their_profit_and_equity_in_the_overview(folder: Path, tmp_path: Path) -> None:
    result = run(folder, tmp_path / "run", "2024-07-10", execution=EXECUTION)

    lines = result.stdout.splitlines()
    head = next(line.split() for line in lines if line.startswith("session "))
    assert head[-3:] == ["fills", "P&L", "equity"]
    rows = [line.split() for line in lines if line.startswith("2024-07-")]
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [row[-1] for row in rows] == [f"{day['trading']['end_equity']:,.2f}" for day in summary["days"]]
    assert {row[-3] for row in rows} == {"4"}


SIGNALLING = """
from openbell import Signal, Strategy


class Shouts(Strategy):
    def subscriptions(self):
        return [("ACME", "1m")]

    def on_bar(self, bar):
        return Signal("ACME", "buy", "in small letters")
"""


def test_what_the_account_warns_of_is_printed_once_and_not_only_in_the_summary(folder: Path, tmp_path: Path) -> None:
    (folder / "shouts.py").write_text(SIGNALLING, encoding="utf-8")
    execution = {"signals": {"BUY": {"percent": 10}}, "benchmark": "NOPE"}

    result = run(folder, tmp_path / "run", strategies=[{"module": "shouts.py:Shouts"}], execution=execution)

    assert result.exit_code == 0, result.output
    printed = " ".join(result.stderr.split())
    warnings = json.loads((tmp_path / "run" / "summary.json").read_text())["warnings"]
    assert len(warnings) == 2
    assert [printed.count(" ".join(warning.split())) for warning in warnings] == [1, 1]
    assert "signals of 'buy' are not traded" in printed
    assert "execution.benchmark is NOPE, of which the store has no bars" in printed


def test_a_run_that_fails_says_what_it_met(folder: Path, tmp_path: Path) -> None:
    (folder / "shouts.py").write_text(
        SIGNALLING.replace('"in small letters")', '"") if self.context.now.minute < 50 else 1 / 0'), encoding="utf-8"
    )
    execution = {"signals": {"BUY": {"percent": 10}}}

    result = run(folder, tmp_path / "run", strategies=[{"module": "shouts.py:Shouts"}], execution=execution)

    assert result.exit_code == 1
    assert "signals of 'buy' are not traded" in " ".join(result.stderr.split())


def test_without_execution_there_is_no_performance_and_no_file_of_it(folder: Path, tmp_path: Path) -> None:
    quiet = {"strategies": []}

    result = run(folder, tmp_path / "run", **quiet)

    assert result.exit_code == 0, result.output
    assert "The run" not in result.stdout
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["performance"] is None
    assert {file.name for file in (tmp_path / "run").iterdir()} == {
        *("config.json", "summary.json", "signals.parquet"),
        *("journal.jsonl", "scans.jsonl", "signals.jsonl"),
    }


def test_the_result_has_performance_and_trades(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "run", execution=EXECUTION)
    config = load_config(tmp_path / "run" / "config.json")

    result = SystemManager(config, store=folder / "store").run()
    plain = SystemManager(load_config({**config.resolved(), "execution": None}), store=folder / "store")

    assert result.performance is not None
    assert result.performance.to_dict() == result["performance"]
    assert len(result.trades) == result.performance.trades == 4
    assert sum(trade.net for trade in result.trades) == pytest.approx(result.performance.net_profit)
    assert (plain.summary().performance, plain.summary().trades) == (None, ())


def test_two_runs_are_listed_and_compared(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "runs" / "cheap", execution=EXECUTION)
    run(folder, tmp_path / "runs" / "dear", execution={**EXECUTION, "fees": {"model": "per_share", "per_share": 1.0}})

    compared = json.loads(
        CliRunner()
        .invoke(app, ["runs", "compare", str(tmp_path / "runs/cheap"), str(tmp_path / "runs/dear"), "--json"])
        .stdout
    )

    assert compared["performance"]["fees"] == {"a": 0.8, "b": 80.0, "difference": 79.2}
    assert [difference["key"] for difference in compared["config"]] == ["execution.fees.per_share"]
    assert compared["a"]["performance"]["trades"] == 4


def test_results_of_two_runs_are_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(folder, tmp_path / name, execution=EXECUTION)

    for file in ("orders.jsonl", "fills.jsonl", "trades.parquet", "equity.parquet", "orders.parquet", "fills.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
