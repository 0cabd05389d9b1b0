"""`openbell data import` shows its guess, and imports only what is confirmed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.cli.data import confirm_guess
from openbell.logs import configure_logs
from openbell.store.store import BarStore

NEW_YORK = ("--timezone", "America/New_York")


def call(*args: object, answer: str | None = None, width: int = 100) -> Any:
    return CliRunner().invoke(app, ["data", "import", *map(str, args)], input=answer, env={"COLUMNS": str(width)})


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    """A file whose names and times are not openbell's; its bars are stamped at their ends."""
    lines = ["Date;Time;O;H;L;Last;Vol"]
    lines += [f"06/{day}/2024;09:{m};10,1;10,2;10;10,1;{m}" for day in (26, 27, 28) for m in range(31, 60)]
    path = tmp_path / "ACME.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_a_guess_is_shown_and_nothing_is_imported(vendor: Path, store: Path) -> None:
    result = call("csv", vendor, "--store", store, *NEW_YORK)

    assert result.exit_code == 2
    assert "Nothing is imported yet. Add --yes" in result.stderr
    for told in (
        "semicolon",
        "close=Last",
        "%m/%d/%Y %H:%M",
        "3 of 3 sessions of XNYS begin",
        "Wed 2024-06-26 09:30 13:30",
    ):
        assert told in " ".join(result.stdout.split())
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert not store.exists()


def test_80_columns_show_whole_numbers_and_local_times(vendor: Path, store: Path) -> None:
    lines = vendor.read_text().replace("10,1;10,2;10;10,1;", "1138000,25;1138001,25;1137999,25;1138000,75;1234567")
    vendor.write_text(lines)
    shown = call("csv", vendor, "--store", store, *NEW_YORK, width=80).stdout

    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    for whole in ("in New York Wed 2024-06-26 09:30", "UTC 13:30", "open 1,138,000.25", "volume 123,456,731"):
        assert whole in words


def test_what_is_assumed_and_odd_is_said_in_json_too(tmp_path: Path, store: Path) -> None:
    rows = [f"2024-12-01T{i // 60:02}:{i % 60:02}:00Z,138000000,138001000,137998000,137999000,1" for i in range(600)]
    (tmp_path / "COIN.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    result = call("csv", tmp_path / "COIN.csv", "--store", store, "--yes", "--json")

    assert json.loads(result.stdout)["added"] == 600
    assert "note: label start: assumed: many bars lie outside all hours of XNYS" in result.stderr
    assert "note: price scale 1: whole numbers around 13" in result.stderr
    assert "warning: 100% of the first 600 bars lie outside the sessions of XNYS" in result.stderr


def test_negative_prices_by_the_command(tmp_path: Path, store: Path) -> None:
    rows = [f"2020-04-20T17:{i:02}:00Z,{2 - i},{3 - i},{1 - i},{2 - i},1" for i in range(30)]
    (tmp_path / "CL.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    words = ("csv", tmp_path / "CL.csv", "--store", store, "--exchange", "CMES", "--yes")
    refused, stored = call(*words), call(*words, "--allow-negative")

    assert (refused.exit_code, stored.exit_code) == (2, 0)
    assert "--allow-negative" in refused.stderr
    assert BarStore.open(store).read(["CL"], "1m", None, None)["low"].min() == -28


@pytest.mark.parametrize("separator", ["ab", "", "\n"])
def test_a_separator_that_is_none_is_told(vendor: Path, store: Path, separator: str) -> None:
    result = call("csv", vendor, "--store", store, *NEW_YORK, "--separator", separator)

    assert (result.exit_code, store.exists()) == (2, False)
    assert "Use one character, or 'tab'" in result.stderr


def test_json_and_feather(store: Path, tmp_path: Path) -> None:
    import polars as pl

    frame = pl.DataFrame({"date": [f"2024-06-{d}" for d in (26, 27, 28)], **dict.fromkeys("ohlc", 10.0), "v": 5})
    frame.write_ipc(tmp_path / "AA.feather")
    frame.write_json(tmp_path / "BB.json")

    assert call("feather", tmp_path / "AA.feather", "--store", store, "--yes").exit_code == 0
    assert call("json", tmp_path / "BB.json", "--store", store, "--yes").exit_code == 0
    assert BarStore.open(store).symbols() == ("AA", "BB")
    wrong = call("csv", tmp_path / "BB.json", "--store", store, "--yes")
    assert (wrong.exit_code, "use: openbell data import json" in wrong.stderr) == (2, True)


def test_the_log_tells_how_files_are_read_and_what_became_of_each(vendor: Path, store: Path) -> None:
    (vendor.parent / "ODD.csv").write_text(
        "\n".join([*vendor.read_text().splitlines()[:3], "06/28/2024;09:35;10,1;9;10;10,1;5"])
    )
    (vendor.parent / "BAD.csv.gz").write_bytes(b"no gzip")
    words = ("csv", vendor.parent, "--store", store, *NEW_YORK, "--yes")
    try:
        told = call(*words, "-v", "--log-json").stderr
        events = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        all_of_it = call(*words, "-vv").stderr
    finally:
        configure_logs()
    (read, *files) = events

    assert (read["event"], read["separator"], read["timezone"]) == ("how files are read", "semicolon", NEW_YORK[1])
    outcome = {Path(event["file"]).name: event for event in files}
    assert outcome["ACME.csv"]["added"] == 87
    assert outcome["ODD.csv"]["set_aside"] == 1
    assert outcome["ODD.csv"]["quarantine"].endswith("ODD-1.csv")
    assert outcome["BAD.csv.gz"]["event"] == "not imported"
    assert "gzip" in outcome["BAD.csv.gz"]["reason"]
    assert "makes the same columns in the first lines" in all_of_it
    assert call(*words).stderr.count("how files are read") == 0


def test_why_rows_were_set_aside_is_told(vendor: Path, store: Path) -> None:
    odd = ["06/28/2024;10:01;10;9;10;10;5", "06/28/2024;10:02;10;9;10;10;5", "06/28/2024;10:03;n/a;11;10;10;5"]
    vendor.write_text("\n".join([vendor.read_text(), *odd]))
    result = call("csv", vendor, "--store", store, *NEW_YORK, "--yes")
    as_json = json.loads(call("csv", vendor, "--store", store, *NEW_YORK, "--yes", "--json").stdout)

    assert "warning: 3 rows contradict themselves or cannot be read and were not stored: " in result.stderr
    assert "(2 rows); " in result.stderr
    assert sorted(as_json["reasons"].values()) == [1, 2]
    assert as_json["set_aside"] == 3


def test_yes_imports_it(vendor: Path, store: Path) -> None:
    result = call("csv", vendor, "--store", store, *NEW_YORK, "--yes")
    again = call("csv", vendor, "--store", store, *NEW_YORK, "--yes", "--json")

    assert result.exit_code == 0
    assert "The first bars of ACME as they would be stored" in result.stdout
    assert (json.loads(again.stdout)["added"], json.loads(again.stdout)["unchanged"]) == (0, 87)
    assert "Nothing changed" not in result.stdout
    assert "Nothing changed" in call("csv", vendor.parent, "--store", store, *NEW_YORK, "--yes").stdout
    first = BarStore.open(store).read(["ACME"], "1m", None, None).row(0)
    assert (f"{first[1]:%H:%M}", *first[2:]) == ("13:30", 10.1, 10.2, 10.0, 10.1, 31.0)


@pytest.mark.parametrize(("answer", "code", "imported"), [("y\n", 0, True), ("n\n", 1, False)])
def test_a_person_is_asked(
    vendor: Path, store: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, imported: bool
) -> None:
    monkeypatch.setattr(confirm_guess, "a_person_is_there", lambda: True)
    result = call("csv", vendor, "--store", store, *NEW_YORK, answer=answer)

    assert "Import it like this?" in result.output
    assert (result.exit_code, store.exists()) == (code, imported)


def test_what_is_given_needs_no_confirmation(vendor: Path, store: Path) -> None:
    columns = ["time=Date", "clock=Time", "open=O", "high=H", "low=L", "close=Last", "volume=Vol"]
    given = [word for c in columns for word in (f"--{c.split('=')[0]}-column", c.split("=")[1])]
    options = ("--separator", ";", "--time-format", "%m/%d/%Y %H:%M", "--interval", "1m", "--label", "end")
    options += ("--decimal", ",", "--header")
    result = call("csv", vendor, "--store", store, *NEW_YORK, *given, *options, "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["added"] == 87


def test_a_decimal_sign_that_is_none_is_told(vendor: Path, store: Path) -> None:
    result = call("csv", vendor, "--store", store, *NEW_YORK, "--decimal", ";")

    assert (result.exit_code, store.exists()) == (2, False)
    assert "Use '.' or ','" in result.stderr


def test_the_guess_as_json(vendor: Path, store: Path) -> None:
    result = call("csv", vendor, "--store", store, *NEW_YORK, "--json")
    guess = json.loads(result.stdout)["guess"]

    assert result.exit_code == 2
    assert {f["what"]: f["value"] for f in guess["findings"]}["label"] == "end"
    assert guess["first_bars"][0]["timestamp"] == "2024-06-26T13:30:00+00:00"


def test_without_a_time_zone_nothing_is_guessed(vendor: Path, store: Path) -> None:
    result = call("csv", vendor, "--store", store, "--yes")

    assert result.exit_code == 2
    assert "has no UTC offset" in result.stderr
    assert not store.exists()


def test_corrected_bars_are_told_as_revised(vendor: Path, store: Path) -> None:
    call("csv", vendor, "--store", store, *NEW_YORK, "--yes")
    vendor.write_text(vendor.read_text().replace("10,1;31", "10,2;31"))
    result = call("csv", vendor, "--store", store, *NEW_YORK, "--yes", "--json")

    assert (json.loads(result.stdout)["revised"], json.loads(result.stdout)["unchanged"]) == (3, 84)


def test_parquet(store: Path, tmp_path: Path) -> None:
    import polars as pl

    frame = pl.DataFrame({"Day": [f"2024-06-{d}" for d in (26, 27, 28)], **dict.fromkeys("ohlc", 10.0), "v": 5})
    frame.with_columns(pl.col("Day").str.to_date()).write_parquet(tmp_path / "ACME.parquet")
    shown = call("parquet", tmp_path / "ACME.parquet", "--store", store)
    done = call("parquet", tmp_path / "ACME.parquet", "--store", store, "--yes")

    assert (shown.exit_code, done.exit_code) == (2, 0)
    assert "time=Day" in shown.stdout
    assert BarStore.open(store).coverage()[0].rows == 3


def test_the_first_file_that_can_be_read_is_guessed_from(vendor: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "A.csv.gz").write_bytes(b"no gzip")
    result = call("csv", tmp_path / "A.csv.gz", vendor, "--store", store, *NEW_YORK, "--yes")
    alone = call("csv", tmp_path / "A.csv.gz", "--store", store, "--yes")

    assert result.exit_code == 1
    assert "A.csv.gz was not imported: Not a gzipped file" in result.stderr
    assert BarStore.open(store).symbols() == ("ACME",)
    assert "A.csv.gz cannot be read" in alone.stderr


def test_a_file_without_rows_is_named_once(store: Path, tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("time,open,high,low,close,volume\n")
    result = call("csv", tmp_path / "A.csv", "--store", store, "--yes")

    assert result.exit_code == 1
    assert " ".join(result.stderr.split()) == f"error: {tmp_path}/A.csv has no rows of bars below its header."


@pytest.mark.parametrize("content", ["", "\n\n", "timestamp,open,high,low,close,volume\n"])
def test_a_file_without_bars_is_bad_data_and_no_bad_command(tmp_path: Path, store: Path, content: str) -> None:
    path = tmp_path / "ACME.csv"
    path.write_text(content, encoding="utf-8")

    result = call("csv", path, "--store", store, "--interval", "1m", *NEW_YORK, "--yes")

    assert result.exit_code == 1, result.output
    assert f"{path}" in result.stderr
    assert not store.exists()
