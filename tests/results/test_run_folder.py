"""A run folder holds the whole run, repeats it, and never takes the place of another."""

from __future__ import annotations

import json
import resource
import shutil
from contextlib import contextmanager
from dataclasses import FrozenInstanceError
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openbell import RunFolder, RunResult, SystemManager, load_config
from openbell.errors import ComponentError, ConfigError, RunFolderError
from probes import CLOSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's store, and a config beside its strategy."""
    path = shutil.copytree(demo_master, tmp_path_factory.mktemp("runs") / "demo")
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


def run(config_file: Path, into: Path, **keep: bool) -> RunResult:
    config = load_config(config_file)
    return SystemManager(config).run(RunFolder(into, config, **keep))


def but_for_durations(result: RunResult) -> str:
    days = result.to_dict()["days"]
    for record in [r for day in days for r in day["provisioning"]]:
        record["steps"] = [step["name"] for step in record["steps"]]
    return json.dumps(days)


def test_it_holds_the_summary_the_journal_and_the_signals(folder: Path, tmp_path: Path) -> None:
    summary = run(folder / "config.json", tmp_path / "run")

    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == summary
    journal, signals_as_json, scans = (
        [json.loads(line) for line in (tmp_path / "run" / name).read_text().splitlines()]
        for name in ("journal.jsonl", "signals.jsonl", "scans.jsonl")
    )
    assert journal == [record for day in summary["days"] for record in day["provisioning"]]
    assert signals_as_json == [{"date": day["date"], **s} for day in summary["days"] for s in day["signals"]]
    assert scans == []
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


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk, as it were, on which files cannot grow beyond a size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_bars_that_do_not_fit_are_not_there_and_the_summary_has_the_error(folder: Path, tmp_path: Path) -> None:
    with files_of_at_most(6_000), pytest.raises(RunFolderError, match=r"cannot write .*bars"):
        run(folder / "config.json", tmp_path / "run", keep_bars=True)

    for path in (tmp_path / "run").rglob("*.parquet"):
        pl.read_parquet(path)
    assert not list((tmp_path / "run").rglob(".*"))
    assert "cannot write" in json.loads((tmp_path / "run" / "summary.json").read_text())["error"]


def test_a_run_whose_folder_can_no_longer_be_written_ends_with_the_file_and_the_reason(
    folder: Path, tmp_path: Path
) -> None:
    config = load_config(folder / "config.json")
    run_folder = RunFolder(tmp_path / "run", config)
    system = SystemManager(config)

    with files_of_at_most(100), pytest.raises(RunFolderError, match=r"cannot write .*File too large"):
        system.run(run_folder)

    error = system.summary().error
    assert error == f"cannot write {tmp_path / 'run' / 'journal.jsonl'}: File too large."


def test_a_result_has_typed_attributes_and_reads_like_its_json(folder: Path, tmp_path: Path) -> None:
    result = run(folder / "config.json", tmp_path / "run")

    assert isinstance(result, RunResult)
    assert [day.date for day in result.days] == [date(2024, 7, 2), date(2024, 7, 3)]
    signal = result.days[1].signals[-1]
    assert (f"{signal.time:%H:%M}", signal.symbol, signal.strategy) == ("13:00", "ALFA", "Closes")
    assert result["days"][1]["signals"][-1]["time"] == signal.time.isoformat() == "2024-07-03T13:00:00-04:00"
    assert result.days[0]["bars_streamed"] == result.days[0].bars_streamed
    assert result == json.loads((tmp_path / "run" / "summary.json").read_text())
    assert list(result) == [
        *("session_name", "mode", "exchange", "warnings", "store_label"),
        *("performance", "days", "timing"),
    ]
    with pytest.raises(TypeError):
        result["days"] = []  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        result.days = ()  # type: ignore[misc]


def test_a_file_is_no_run_folder(folder: Path) -> None:
    with pytest.raises(ConfigError, match="is a file"):
        run(folder / "config.json", folder / "closes.py")
