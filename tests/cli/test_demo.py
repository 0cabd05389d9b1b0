"""`openbell demo` works from nothing, tells its story, and says wherever its bars are shown that they are synthetic."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from openbell import BarStore, DataManager, TimeManager
from openbell.cli.app import app
from openbell.cli.terminal.console import err, out
from openbell.demo import SYNTHETIC, DemoFolder, make_demo_folder
from openbell.demo.market import Listing, minute_bars
from openbell.errors import StoreError
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from pathlib import Path

CONFIG_SYMBOLS = ["ALFA", "BRVO", "CHRL", "DLTA", "EKKO", "FXTT"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoFolder:
    return make_demo_folder(tmp_path_factory.mktemp("demo") / "openbell-demo")


def told(*arguments: str) -> str:
    """What a command prints for a person in a terminal of 100 columns."""
    with pytest.MonkeyPatch.context() as patch:
        for console in (out, err):
            patch.setattr(console, "_width", 100)
        result = CliRunner().invoke(app, [*arguments])

    assert result.exit_code == 0, result.output
    return result.output


def test_it_tells_what_was_asked_what_was_got_and_what_is_missing(
    demo: DemoFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(demo.path.parent)

    output = told("demo")

    parts = [
        *("SYNTHETIC DATA", "Plan for 2024-07-02", "BADTICKER", "Why", "Provisioning for 2024-07-02"),
        *("Session 2024-07-02, 09:30 to 16:00", "dropped BADTICKER", "missing EKKO 1m bars: 9 from 10:22 to 10:31"),
        *("found   Gap at 09:35", "signals", "Session 2024-07-03, 09:30 to 13:00", "Session 2024-07-05"),
    ]
    places = [output.index(part) for part in parts]
    assert places == sorted(places)
    last_line = output.rstrip().splitlines()[-1]
    folder = demo.path.parent / last_line.removeprefix("run folder: ")
    tables = ("cash", "equity", "fills", "orders", "signals", "trades")
    assert {p.name for p in folder.iterdir()} == {
        *("config.json", "summary.json", "journal.jsonl", "scans.jsonl", "signals.jsonl"),
        *("cash.jsonl", "fills.jsonl", "orders.jsonl"),
        *(f"{table}.parquet" for table in tables),
    }
    assert len(output.splitlines()) < 200
    assert "net profit" in output
    sentences = ("cannot load", "dropped", "refused", "missing", "warning", "[warning", "open  ")
    assert max(len(line) for line in output.splitlines() if not line.startswith(sentences)) <= 100


def test_json_is_the_summary_of_the_run(demo: DemoFolder) -> None:
    result = CliRunner().invoke(app, ["demo", "--out", str(demo.path), "--json"])

    summary = json.loads(result.stdout)
    assert [day["date"] for day in summary["days"]] == ["2024-07-02", "2024-07-03", "2024-07-05"]
    for day in summary["days"]:
        assert list(day["dropped"]) == ["BADTICKER"]
        assert [s for s, e in day["symbols"].items() if e["metadata"]["added_by"] == "config"] == CONFIG_SYMBOLS
        assert 1 <= len(day["scans"][0]["symbols"]) <= 3
        assert day["signals"]
    half_day = summary["days"][1]["symbols"]["ALFA"]["bars"]
    assert (half_day["1m"]["session_rows"], half_day["5m"]["session_rows"]) == (210, 42)
    indicators = [i for day in summary["days"] for s in day["symbols"].values() for i in s["indicators"].values()]
    assert all(i["settled"] for i in indicators)


@pytest.mark.parametrize("command", [["data", "ls", "--store", "STORE"], ["plan", "CONFIG"], ["run", "CONFIG"]])
def test_the_label_is_told_wherever_the_bars_are(
    command: list[str], demo: DemoFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [{"STORE": str(demo.store), "CONFIG": str(demo.config)}.get(word, word) for word in command]

    assert SYNTHETIC in told(*arguments)
    assert SYNTHETIC in CliRunner().invoke(app, [*arguments, "--json"]).stdout


def test_the_bars_are_the_same_to_the_bit_on_every_machine() -> None:
    minutes = TimeManager("XNYS").grid(date(2024, 7, 1), date(2024, 7, 5)).expected_bars(parse_interval("1m"))

    frame = minute_bars(Listing("ALFA", 182.40, 9_000, missing=0.01), 1, minutes)

    cents = (frame.select("open", "high", "low", "close") * 100).to_numpy().round().astype("<i8")
    content = [frame["timestamp"].to_physical().to_numpy(), np.ascontiguousarray(cents), frame["volume"].to_numpy()]
    digest = hashlib.sha256(b"".join(part.tobytes() for part in content)).hexdigest()
    assert digest[:16] == "62fd9c1145f9d95b"


def test_daily_bars_are_the_sum_of_the_minutes(demo: DemoFolder) -> None:
    manager = DataManager(BarStore.open(demo.store), TimeManager("XNYS"))
    first, last = date(2024, 6, 3), date(2024, 7, 5)

    for symbol in ("ALFA", "EKKO", "SYN03"):
        stored = manager.load_historical_bars(symbol, "1d", first, last, base="1d")
        derived = manager.load_historical_bars(symbol, "1d", first, last, base="1m")
        for column in ("timestamp", "end", "open", "high", "low", "close", "volume"):
            np.testing.assert_array_equal(getattr(stored, column), getattr(derived, column))


def test_bars_hold_together_and_gaps_are_few(demo: DemoFolder) -> None:
    store = BarStore.open(demo.store)
    bars = store.read(store.symbols(), "1m", None, None)

    assert len(store.symbols()) == 46
    assert "BADTICKER" not in store.symbols()
    assert bars.filter(pl.col("high") < pl.max_horizontal("open", "close")).is_empty()
    assert bars.filter((pl.col("low") > pl.min_horizontal("open", "close")) | (pl.col("low") <= 0)).is_empty()
    expected = len(TimeManager("XNYS").grid(date(2024, 6, 3), date(2024, 7, 5)).expected_bars(parse_interval("1m")))
    there = bars.group_by("symbol").len()["len"] / expected
    assert 0.99 < there.min() < 1.0 == there.max()


def test_a_second_time_the_store_is_reused_and_an_edited_config_is_kept(tmp_path: Path, demo: DemoFolder) -> None:
    edited = demo.config.read_text(encoding="utf-8").replace("session_name: demo", "session_name: mine")
    demo.config.write_text(edited, encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in demo.store.rglob("*.parquet")}

    again = make_demo_folder(demo.path)

    assert (demo.made, again.made) == (True, False)
    assert {path: path.stat().st_mtime_ns for path in again.store.rglob("*.parquet")} == before
    assert again.config.read_text(encoding="utf-8") == edited


def test_a_store_of_something_else_is_left_alone(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"timestamp": [0], **{name: [1.0] for name in ("open", "high", "low", "close", "volume")}}
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ns", "UTC")))
    BarStore.open_or_create(tmp_path / "store").write("SPY", "1m", frame)

    with pytest.raises(StoreError, match=r"holds other bars \(SPY\)"):
        make_demo_folder(tmp_path)


def test_a_store_of_another_version_of_the_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "LABEL.txt").write_text("SYNTHETIC DATA\nrecipe: another\n", encoding="utf-8")

    with pytest.raises(StoreError, match=r"another version of the demo\. Delete it"):
        make_demo_folder(tmp_path)
