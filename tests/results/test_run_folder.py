"""A run folder holds the whole run, repeats it, and never takes the place of another."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openbell import RunFolder, SystemManager, load_config
from openbell.demo import make_demo_folder
from openbell.errors import ComponentError, ConfigError
from probes import CLOSES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's store, and a config beside its strategy."""
    path = tmp_path_factory.mktemp("runs")
    make_demo_folder(path)
    (path / "closes.py").write_text(CLOSES, encoding="utf-8")
    (path / "config.json").write_text(json.dumps(config_of()), encoding="utf-8")
    return path


def config_of(**strategy_config: str) -> dict[str, Any]:
    return {
        "store": "store",
        "backtest_config": {"start_date": "2024-07-02", "end_date": "2024-07-03"},
        "session_data_config": {
            "symbols": ["ALFA"],
            "indicators": [{"name": "bbands", "period": 5, "interval": "60m"}],
        },
        "strategies": [{"module": "closes.py:Closes", "config": strategy_config}],
    }


def run(config_file: Path, into: Path, **keep: bool) -> dict[str, Any]:
    config = load_config(config_file)
    return SystemManager(config).run(RunFolder(into, config, **keep))


def but_for_durations(summary: dict[str, Any]) -> str:
    for record in [r for day in summary["days"] for r in day["provisioning"]]:
        record["steps"] = [step["name"] for step in record["steps"]]
    return json.dumps(summary["days"])


def test_it_holds_the_summary_the_journal_and_the_signals(folder: Path, tmp_path: Path) -> None:
    summary = run(folder / "config.json", tmp_path / "run")

    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == summary
    journal = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    assert journal == [record for day in summary["days"] for record in day["provisioning"]]
    signals = pl.read_parquet(tmp_path / "run" / "signals.parquet")
    assert signals["date"].to_list() == [date(2024, 7, 2)] * 7 + [date(2024, 7, 3)] * 4
    assert signals["time"].dt.to_string("%H:%M %Z").to_list()[-2:] == ["16:30 UTC", "17:00 UTC"]
    assert signals.schema["time"] == pl.Datetime("ns", "UTC")


def test_bars_and_indicators_are_kept_on_request(folder: Path, tmp_path: Path) -> None:
    run(folder / "config.json", tmp_path / "run", keep_bars=True, keep_indicators=True)

    bars = pl.read_parquet(tmp_path / "run" / "bars" / "2024-07-03" / "ALFA_60m.parquet")
    bands = pl.read_parquet(tmp_path / "run" / "indicators" / "2024-07-03" / "ALFA_60m.parquet")
    assert bands["end"].equals(bars["end"])
    assert [name.rpartition(".")[2] for name in bands.columns[2:]] == ["upperband", "middleband", "lowerband"]
    assert bands[:, 3].drop_nans()[-1] == pytest.approx(bars["close"][-5:].mean())


def test_its_config_repeats_the_run(folder: Path, tmp_path: Path) -> None:
    first = run(folder / "config.json", tmp_path / "first")

    again = run(tmp_path / "first" / "config.json", tmp_path / "again")

    assert but_for_durations(again) == but_for_durations(first)


def test_a_run_that_fails_keeps_the_days_before(folder: Path, tmp_path: Path) -> None:
    (folder / "fails.json").write_text(json.dumps(config_of(fails_on="2024-07-03")), encoding="utf-8")

    with pytest.raises(ComponentError, match="as told"):
        run(folder / "fails.json", tmp_path / "run")

    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [day["date"] for day in summary["days"]] == ["2024-07-02"]
    assert "as told" in summary["error"]
    assert pl.read_parquet(tmp_path / "run" / "signals.parquet").height == 7
    journal = (tmp_path / "run" / "journal.jsonl").read_text().splitlines()
    assert json.loads(journal[-1])["time"].startswith("2024-07-03")


def test_a_run_never_takes_the_place_of_another(folder: Path, tmp_path: Path) -> None:
    run(folder / "config.json", tmp_path / "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}

    with pytest.raises(ConfigError, match="holds a run already"):
        run(folder / "config.json", tmp_path / "run")

    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_a_file_is_no_run_folder(folder: Path) -> None:
    with pytest.raises(ConfigError, match="is a file"):
        run(folder / "config.json", folder / "closes.py")
