"""Runs of hundreds of symbols: the summary and the terminal name the odd ones, and tables hold all facts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.results.folder.run_folder import RunFolder
from openbell.results.wide_sessions import MOST_SYMBOLS
from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.results.result import RunResult

DAYS = ("2024-03-13", "2024-03-14")
ODD = ("N007", "N123")
NAMES = [f"N{number:03}" for number in range(MOST_SYMBOLS + 30)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hourly bars, of two symbols not all."""
    bars = random_bars(bar_starts("2024-03-08", DAYS[-1], "30m"))
    holes = {"N007": [-1], "N123": [-2, -3]}
    frames = {name: bars[np.delete(np.arange(len(bars)), holes.get(name, [])).tolist()] for name in NAMES}
    folder = tmp_path_factory.mktemp("wide") / "store"
    return make_store(folder, {name: {"30m": frame} for name, frame in frames.items()})


def config(symbols: list[str]) -> dict[str, Any]:
    return {
        "session_name": "wide",
        "backtest_config": {"start_date": DAYS[0], "end_date": DAYS[1]},
        "session_data_config": {
            "symbols": [*symbols, "NOPE"],
            "streams": ["30m"],
            "indicators": [{"name": "sma", "period": 5, "interval": "30m"}, {"name": "obv", "interval": "30m"}],
        },
    }


@pytest.fixture(scope="module")
def run(store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, Path]:
    session = load_config(config(NAMES))
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "wide", session)
    return SystemManager(session, store=store).run(folder), folder.path


def test_the_summary_holds_the_odd_symbols_and_counts_all(run: tuple[RunResult, Path]) -> None:
    result, folder = run
    summary = json.loads((folder / "summary.json").read_text())

    assert summary == result.to_dict()
    first, last = summary["days"]
    assert first["symbols"] == {}
    assert set(last["symbols"]) == set(ODD)
    assert list(last["symbols"]) == ["N123", "N007"], "the worst first"
    assert [(r["symbol"], r["ok"]) for r in last["provisioning"] if not r["ok"]] == [("NOPE", False)]
    assert len(last["provisioning"]) < 10
    totals = last["totals"]
    assert (totals["symbols"], totals["full"], totals["ad_hoc"], totals["odd"]) == (len(NAMES), len(NAMES), 0, 2)
    assert (totals["with_missing_bars"], totals["with_unsettled_indicators"]) == (2, 0)
    assert totals["lowest_quality"]["symbol"] == "N123"
    counts = {(r["operation_type"], r["ok"]): r["count"] for r in totals["provisioning"]}
    assert counts == {("symbol", True): len(NAMES), ("symbol", False): 1}


def test_the_typed_result_holds_all_symbols(run: tuple[RunResult, Path]) -> None:
    assert [list(day.symbols) for day in run[0].days] == [NAMES, NAMES]


def test_tables_beside_the_summary_hold_all_facts(run: tuple[RunResult, Path]) -> None:
    result, folder = run
    symbols, series, gaps, values = (
        pl.read_parquet(folder / f"{name}.parquet") for name in ("symbols", "series", "gaps", "indicators")
    )

    assert len(symbols) == len(series) == 2 * len(NAMES)
    for day in result.days:
        for name in ("N000", *ODD):
            of_one = (pl.col("date") == day.date) & (pl.col("symbol") == name)
            one = day.symbols[name]
            assert symbols.filter(of_one)["added_by"].to_list() == [one.added_by]
            (row,) = series.filter(of_one).to_dicts()
            bars = one.bars["30m"]
            assert (row["session_rows"], row["quality"]) == (bars.session_rows, bars.quality)
            assert row["missing"] == sum(gap.missing for gap in bars.gaps)
            of_gaps = gaps.filter(of_one).select(pl.col("start", "end").to_physical(), "missing").rows()
            assert of_gaps == [(gap.start_ns, gap.end_ns, gap.missing) for gap in bars.gaps]
            found = {row["indicator"]: row for row in values.filter(of_one).to_dicts()}
            assert {key: row["value"] for key, row in found.items()} == {k: i.value for k, i in one.indicators.items()}
            assert {key: row["settled"] for key, row in found.items()} == {
                k: i.settled for k, i in one.indicators.items()
            }


def test_a_line_of_the_journal_has_many_symbols_and_opens_to_what_each_was_asked(run: tuple[RunResult, Path]) -> None:
    result, folder = run
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]

    assert len(lines) < len(NAMES) / 5
    opened = list(RunFolder.read_journal(folder))
    records = [record for day in result.days for record in day.provisioning]
    assert [record["symbol"] for record in opened] == [record.symbol for record in records]
    assert [record["ok"] for record in opened] == [record.ok for record in records]
    assert [len(record["steps"]) for record in opened] == [len(record.steps) for record in records]


def test_up_to_two_hundred_symbols_the_summary_has_all_and_no_tables(store: Path, tmp_path: Path) -> None:
    session = load_config(config(NAMES[: MOST_SYMBOLS - 1]))
    folder = RunFolder(tmp_path / "run", session)

    result = SystemManager(session, store=store).run(folder)

    assert len(result["days"][0]["symbols"]) == MOST_SYMBOLS - 1
    assert "totals" not in result["days"][0]
    assert not (folder.path / "symbols.parquet").exists()


@pytest.mark.parametrize(("options", "rows"), [([], len(ODD)), (["--all"], len(NAMES))])
def test_the_terminal_shows_the_odd_ones_and_a_count_unless_asked_for_all(
    store: Path, tmp_path: Path, options: list[str], rows: int
) -> None:
    (tmp_path / "session.yaml").write_text(yaml.safe_dump(config(NAMES)))
    command = ["run", str(tmp_path / "session.yaml"), "--store", str(store), "--out", str(tmp_path / "run"), *options]

    done = CliRunner().invoke(app, command)

    assert done.exit_code == 0, done.output
    last = done.stdout.rpartition("Session 2024-03-14")[2]
    assert sum(line.startswith("N") for line in last.splitlines()) == rows
    count = f"{len(NAMES) - 2} of {len(NAMES)} symbols have all their bars and settled indicators (--all shows all)"
    assert (count in last) is not bool(options)


def test_of_a_killed_run_the_part_of_a_line_is_left_out(run: tuple[RunResult, Path], tmp_path: Path) -> None:
    whole = (run[1] / "journal.jsonl").read_bytes()
    (tmp_path / "journal.jsonl").write_bytes(whole[:-20])

    assert 0 < len(list(RunFolder.read_journal(tmp_path))) < len(list(RunFolder.read_journal(run[1])))


def test_hundreds_of_unknown_symbols_are_counted_and_a_few_of_them_logged(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    unknown = [f"UNKNOWN{number:03}" for number in range(MOST_SYMBOLS + 50)]
    session = load_config(config([*NAMES[:3], *unknown]))
    folder = RunFolder(tmp_path / "run", session)

    result = SystemManager(session, store=store).run(folder)

    day = json.loads((folder.path / "summary.json").read_text())["days"][0]
    assert len(day["dropped"]) == len(day["provisioning"]) == MOST_SYMBOLS
    assert day["totals"]["dropped"] == len(unknown) + 1
    assert len(result.days[0].dropped) == len(unknown) + 1
    logged = capfd.readouterr().err + caplog.text
    assert 0 < logged.count("has no bars of UNKNOWN") <= 100
    assert "refused more, see the journal" in logged
