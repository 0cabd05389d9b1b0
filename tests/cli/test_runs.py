"""`openbell runs` lists and compares runs, whatever else lies in their folder and whatever became of them."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from openbell import RunFolder, SystemManager, load_config
from openbell.cli.app import app
from openbell.results.measures.equity import SessionEquity
from openbell.results.measures.performance import performance

if TYPE_CHECKING:
    from pathlib import Path


def call(*words: object, width: int = 160) -> Any:
    return CliRunner().invoke(app, ["runs", *map(str, words)], env={"COLUMNS": str(width)})


def numbers(*equity: float) -> dict[str, Any]:
    """The object `performance` of a run with this equity by session."""
    none = np.zeros(len(equity), dtype=np.int64)
    days = [date(2024, 7, 1) + timedelta(days=n) for n in range(len(equity))]
    columns = SessionEquity(100_000.0, days, np.array(equity), none.astype(float), none, none)
    return performance(columns, [], [], orders=3, rejected=0, sessions_per_year=252).to_dict()


def made_run(folder: Path, **summary: Any) -> Path:
    """A folder as a run leaves it, with a summary."""
    folder.mkdir(parents=True)
    for name in ("journal.jsonl", "signals.jsonl", "scans.jsonl"):
        (folder / name).write_text("")
    config = summary.pop("config", {"session_name": "made", "strategies": [{"config": {"fast": 10}}]})
    (folder / "config.json").write_text(json.dumps(config))
    days = [{"date": "2024-07-01", "signals": [{}, {}]}, {"date": "2024-07-02", "signals": []}]
    whole = {"session_name": "made", "days": days, "performance": None, **summary}
    (folder / "summary.json").write_text(json.dumps(whole))
    return folder


def listed(folder: Path) -> dict[str, Any]:
    """The entries that `runs ls --json` prints, by the name of their folder."""
    result = call("ls", folder, "--json")
    assert result.exit_code == 0, result.output
    return {entry["path"].rpartition("/")[2]: entry for entry in json.loads(result.stdout)}


def test_a_run_is_listed_with_what_it_earned(tmp_path: Path) -> None:
    made_run(tmp_path / "good", performance=numbers(101_000.0, 100_500.0))

    result = call("ls", tmp_path)

    assert result.exit_code == 0
    row = next(line for line in result.stdout.splitlines() if "good" in line).split()
    assert row[:6] == ["good", "done", "2", "2024-07-01", "2024-07-02", "2"]
    assert row[6:9] == ["100,500.00", "0.50%", "-0.50%"]
    entry = listed(tmp_path)["good"]
    assert entry["performance"]["end_equity"] == 100_500
    assert entry["performance"]["unavailable"]["win_rate"] == "no trade was closed"


def test_narrow_terminals_show_fewer_columns_and_no_part_of_one(tmp_path: Path) -> None:
    name = "demo-20261128T043117.179882Z"
    made_run(tmp_path / name, performance=numbers(101_000.0, 100_500.0))

    for width in (80, 100, 160):
        row = next(line for line in call("ls", tmp_path, width=width).stdout.splitlines() if name in line).split()
        assert row[0:2] == [name, "done"]
        assert {"2024-07-02", "100,500.00", "0.50%"} <= set(row)


def test_a_real_run_is_listed_and_equal_to_itself(demo_master: Path, tmp_path: Path) -> None:
    config = load_config(demo_master / "session.yaml")
    SystemManager(config).run(RunFolder(tmp_path / "runs" / "one", config))

    entry = listed(tmp_path / "runs")["one"]
    compared = json.loads(call("compare", tmp_path / "runs" / "one", tmp_path / "runs" / "one", "--json").stdout)

    assert (entry["state"], entry["sessions"], entry["session_name"]) == ("done", 3, "demo")
    assert entry["store_label"] == "SYNTHETIC DATA"
    assert compared["config"] == []
    assert all(pair["difference"] in (0, None) for pair in compared["performance"].values())


def test_the_folder_of_one_run_lists_that_one(tmp_path: Path) -> None:
    made_run(tmp_path / "one")

    assert list(listed(tmp_path / "one")) == ["one"]


def test_what_is_no_run_is_counted_and_left_out(tmp_path: Path) -> None:
    made_run(tmp_path / "one")
    (tmp_path / "notes.txt").write_text("buy low")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "summary.json").write_text('{"of": "another program"}')
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")

    result = call("ls", tmp_path)

    assert list(listed(tmp_path)) == ["one"]
    assert "3 entries" in result.stderr
    assert "Traceback" not in result.output


def test_runs_that_did_not_end_well_say_so(tmp_path: Path) -> None:
    made_run(tmp_path / "failed", error="strategy X raised in on_bar")
    made_run(tmp_path / "stopped", error="interrupted in session 2024-07-02")
    (made_run(tmp_path / "killed") / "summary.json").unlink()

    entries = listed(tmp_path)

    assert {name: entry["state"] for name, entry in entries.items()} == {
        "failed": "failed",
        "stopped": "interrupted",
        "killed": "unfinished",
    }
    assert "strategy X raised" in call("ls", tmp_path).stderr
    assert "is running, or was killed" in entries["killed"]["problem"]


DAMAGES = {
    "empty": "",
    "half": '{"session_name": "made", "days": [{"da',
    "list": "[1, 2]",
    "text": '"hello"',
    "no days": "{}",
    "days of text": '{"days": ["2024-07-01"]}',
    "no date": '{"days": [{}]}',
    "bad date": '{"days": [{"date": "yesterday"}]}',
    "numbers for dates": '{"days": [{"date": 20240701}]}',
    "performance of text": '{"days": [], "performance": "good"}',
    "deep": "[" * 100_000,
    "long number": '{"days": ' + "9" * 10_000 + "}",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_summary_is_one_line_and_hides_no_other_run(name: str, tmp_path: Path) -> None:
    made_run(tmp_path / "good", performance=numbers(101_000.0))
    bad = made_run(tmp_path / "bad")
    (bad / "summary.json").write_text(DAMAGES[name])

    entries = listed(tmp_path)

    assert (entries["bad"]["state"], entries["good"]["state"]) == ("damaged", "done")
    assert "summary.json" in entries["bad"]["problem"]
    compared = call("compare", bad, tmp_path / "good")
    assert compared.exit_code == 0
    assert "bad: damaged" in compared.stderr


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00" * 100, b"{" + b'"a":' * 3])
def test_bytes_that_are_no_text_are_damage(content: bytes, tmp_path: Path) -> None:
    (made_run(tmp_path / "bad") / "config.json").write_bytes(content)

    assert listed(tmp_path)["bad"]["problem"].startswith("config.json is not JSON")


def test_a_folder_or_a_pipe_in_place_of_a_file_is_damage(tmp_path: Path) -> None:
    for name, make in (("folder", os.mkdir), ("pipe", os.mkfifo)):
        file = made_run(tmp_path / name) / "summary.json"
        file.unlink()
        make(file)

    assert {entry["problem"] for entry in listed(tmp_path).values()} == {"summary.json is no file"}


def test_numbers_of_a_summary_from_elsewhere_are_numbers_or_nothing(tmp_path: Path) -> None:
    strange = {"sharpe": "high", "cagr": True, "trades": [1], "end_equity": 10**400, "fees": float("nan"), "own": 1}
    made_run(tmp_path / "strange", performance={**strange, "unavailable": 3})

    entry = listed(tmp_path)["strange"]

    assert entry["state"] == "done"
    assert {entry["performance"][name] for name in strange if name != "own"} == {None}
    assert "own" not in entry["performance"]
    assert call("ls", tmp_path).exit_code == 0


def test_texts_of_a_run_hold_no_codes_for_the_terminal(tmp_path: Path) -> None:
    name = "red\x1b[31m[bold]"
    made_run(tmp_path / name, error="\x1b]0;title\x07 [bold]oops", performance=numbers(1.0))

    result = call("ls", tmp_path)

    assert "\x1b" not in result.output
    assert "[bold]oops" in result.stderr


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_narrow_terminals_get_fewer_numbers(width: int, tmp_path: Path) -> None:
    made_run(tmp_path / "one", performance=numbers(101_000.0, 100_500.0))

    for words in (("ls", tmp_path), ("compare", tmp_path / "one", tmp_path / "one")):
        result = call(*words, width=width)
        assert result.exit_code == 0
        assert "100,500" in result.stdout


def test_two_runs_are_compared_number_by_number_and_key_by_key(tmp_path: Path) -> None:
    slow = {"session_name": "made", "strategies": [{"config": {"fast": 20}}], "execution": {"cash": 1}}
    made_run(tmp_path / "a", performance=numbers(101_000.0, 102_000.0))
    made_run(tmp_path / "b", performance=numbers(101_000.0, 100_500.0), config=slow)

    compared = json.loads(call("compare", tmp_path / "a", tmp_path / "b", "--json").stdout)
    result = call("compare", tmp_path / "a", tmp_path / "b")

    assert compared["performance"]["net_profit"] == {"a": 2000, "b": 500, "difference": -1500}
    assert compared["performance"]["win_rate"]["difference"] is None
    assert compared["config"] == [
        {"key": "strategies[0].config.fast", "a": 10, "b": 20},
        {"key": "execution", "a": "(missing)", "b": {"cash": 1}},
    ]
    row = next(line for line in result.stdout.splitlines() if line.startswith("net profit"))
    assert row.split()[2:] == ["2,000.00", "500.00", "-1,500.00"]
    assert "strategies[0].config.fast" in result.stdout


def test_what_makes_runs_hard_to_compare_is_said(tmp_path: Path) -> None:
    made_run(tmp_path / "a", performance=numbers(101_000.0))
    made_run(tmp_path / "b", days=[{"date": "2023-01-03", "signals": []}])

    warnings = json.loads(call("compare", tmp_path / "a", tmp_path / "b", "--json").stdout)["warnings"]

    assert warnings[0] == "b did not trade: its config has no execution."
    assert warnings[1].startswith("the sessions differ: a has 2, 2024-07-01 to 2024-07-02, b has 1")


def test_runs_of_folders_here_are_found_such_as_the_demos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_run(tmp_path / "openbell-demo" / "runs" / "one")
    monkeypatch.chdir(tmp_path)

    for words in (("ls",), ("ls", "openbell-demo"), ("ls", "openbell-demo/runs")):
        result = call(*words, "--json")
        assert [entry["path"] for entry in json.loads(result.stdout)] == ["openbell-demo/runs/one"]
    made_run(tmp_path / "runs" / "two")
    paths = [entry["path"] for entry in json.loads(call("ls", "--json").stdout)]
    assert paths == ["runs/two", "openbell-demo/runs/one"]
    shown = call("ls").stdout
    assert shown.index("runs\n") < shown.index("two") < shown.index("openbell-demo/runs") < shown.index("\none ")
    assert call("compare", "one", "two").exit_code == 0


def test_runs_are_found_by_name_in_the_folder_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_run(tmp_path / "runs" / "one")
    monkeypatch.chdir(tmp_path)

    assert call("ls").exit_code == 0
    assert call("compare", "one", "runs/one").exit_code == 0


@pytest.mark.parametrize("words", [["ls"], ["ls", "nowhere"], ["compare", "a", "b"], ["compare", ".", "."]])
def test_what_is_not_there_is_an_error_of_usage(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = call(*words)

    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SUMMARY = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("session_name", "days", "performance", "error", "store_label"), JSON)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(summary=JSON | SUMMARY, config=JSON)
def test_no_summary_whatsoever_ends_the_listing(
    summary: Any, config: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    run = made_run(folder / "one")
    (run / "summary.json").write_text(json.dumps(summary))
    (run / "config.json").write_text(json.dumps(config))

    assert listed(folder)["one"]["state"] in ("done", "failed", "interrupted", "damaged")
    assert call("compare", run, run).exit_code == 0
