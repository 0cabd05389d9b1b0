"""A CSV of corporate actions is imported as it is meant; what cannot be is set aside with its line and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell.actions import ActionStore
from openbell.errors import BadBarsError, ConfigError, DamagedFileError
from openbell.importers.actions_csv import import_actions_csv
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "symbol,ex_date,type,value\n"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return BarStore.open_or_create(tmp_path / "store").path


def csv(folder: Path, text: str) -> Path:
    path = folder / "actions.csv"
    path.write_text(text)
    return path


def described(store: Path, symbol: str) -> list[str]:
    return [f"{a.ex_date} {a.describe()}" for a in ActionStore(store).book().of(symbol)]


def test_each_kind_of_action_is_read(tmp_path: Path, store: Path) -> None:
    text = HEADER + (
        "AAPL,2014-06-09,split,7\n"
        "AIG,2009-07-01,Split,1:20\n"
        "AAPL,2014-05-08,dividend,3.29\n"
        "FB,2022-06-09,rename,META\n"
        "X,2020-01-02,split,3/2\n"
    )
    report = import_actions_csv(csv(tmp_path, text), store)

    assert report.written.added == 5
    assert described(store, "AAPL") == ["2014-05-08 dividend of 3.29", "2014-06-09 split 7 for 1"]
    assert described(store, "AIG") == ["2009-07-01 split 1 for 20"]
    assert described(store, "FB") == ["2022-06-09 renamed from FB to META"]
    assert described(store, "X") == ["2020-01-02 split 3 for 2"]


def test_importing_again_changes_nothing_and_a_correction_is_counted(tmp_path: Path, store: Path) -> None:
    path = csv(tmp_path, HEADER + "A,2020-01-02,split,2\nA,2020-02-03,dividend,0.5\n")
    import_actions_csv(path, store)
    before = ActionStore(store).version
    again = import_actions_csv(path, store)
    unchanged = ActionStore(store).version
    corrected = import_actions_csv(csv(tmp_path, HEADER + "A,2020-02-03,dividend,0.55\n"), store)

    assert (again.written.added, again.written.revised, again.written.unchanged) == (0, 0, 2)
    assert unchanged == before
    assert (corrected.written.added, corrected.written.revised) == (0, 1)
    assert described(store, "A") == ["2020-01-02 split 2 for 1", "2020-02-03 dividend of 0.55"]


def test_a_regular_and_a_special_dividend_are_added_up(tmp_path: Path, store: Path) -> None:
    text = HEADER + "A,2020-02-03,dividend,0.5\nA,2020-02-03,dividend,7\nA,2020-02-03,dividend,0.5\n"
    report = import_actions_csv(csv(tmp_path, text), store)

    assert (report.duplicates, report.added_up) == (1, 1)
    assert described(store, "A") == ["2020-02-03 dividend of 7.5"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2020-01-02,split,2", "the symbol is missing"),
        ("A,02.01.2020,split,2", "the ex-date is missing or not a date like 2014-06-09"),
        ("A,9999-12-31,split,2", "the year of the ex-date is implausible"),
        ("A,1600-01-01,rename,B", "the year of the ex-date is implausible"),
        ("A,2020-01-02,spinoff,2", "the type is none of split, dividend, rename"),
        ("A,2020-01-02,,2", "the type is none of split, dividend, rename"),
        ("A,2020-01-02,split,", "the value is missing or not a number: write new shares for one old share"),
        ("A,2020-01-02,split,seven", "the value is missing or not a number: write new shares for one old share"),
        ("A,2020-01-02,split,1:0", "the value is missing or not a number: write new shares for one old share"),
        ("A,2020-01-02,split,-2", "a split must be above 0 and not 1: new shares for one old share"),
        ("A,2020-01-02,split,1", "a split must be above 0 and not 1: new shares for one old share"),
        ("A,2020-01-02,dividend,nan", "the value is missing or not a number: write cash per share"),
        ("A,2020-01-02,dividend,0", "a dividend must be above 0"),
        ("A,2020-01-02,dividend,3,3", "the dividend is not below the close before it"),
        ("A,2020-01-02,rename,", "the new name is missing"),
        ("A,2020-01-02,rename,A", "the new name is the old one"),
    ],
)
def test_a_row_that_cannot_be_is_set_aside(tmp_path: Path, store: Path, row: str, reason: str) -> None:
    text = f"symbol,ex_date,type,value,reference\nGOOD,2020-01-02,split,2,\n{row + ',' * (4 - row.count(','))}\n"
    for _ in range(2):  # the second import does not write a second quarantine
        report = import_actions_csv(csv(tmp_path, text), store)

        assert report.set_aside == 1
        assert report.quarantine is not None
        assert [p.name for p in report.quarantine.parent.iterdir()] == ["actions-actions-1.csv"]
        assert pl.read_csv(report.quarantine, infer_schema=False).row(0)[:2] == ("3", reason)
    assert ActionStore(store).book().symbols == ("GOOD",)


def test_splits_of_one_day_that_contradict_each_other_are_both_set_aside(tmp_path: Path, store: Path) -> None:
    text = HEADER + "A,2020-01-02,split,2\nA,2020-01-02,split,3\nB,2020-01-02,split,3\n"
    report = import_actions_csv(csv(tmp_path, text), store)

    assert (report.set_aside, report.written.added) == (2, 1)


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("symbol,exdate,type,value\nA,2020-01-02,split,2\n", ConfigError, "no column ex_date.*Did you mean 'exdate'"),
        ("", ConfigError, "cannot be read as CSV"),
        (HEADER, BadBarsError, "no corporate action that can be used"),
        (
            HEADER + "A,2020-01-02,split,1\n",
            BadBarsError,
            r"The first is line 2: a split must be above 0.*; .*actions-.*\.csv holds them with the reasons",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, store: Path, text: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        import_actions_csv(csv(tmp_path, text), store)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, store: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*nope\.csv"):
        import_actions_csv(tmp_path / "nope.csv", store)


def test_a_flipped_byte_is_found_wherever_it_is(tmp_path: Path, store: Path) -> None:
    rows = "".join(f"S{n},2020-01-{1 + n % 28:02},dividend,{1 + n / 7}\n" for n in range(60))
    import_actions_csv(csv(tmp_path, HEADER + rows), store)
    actions = ActionStore(store)
    whole = actions.path.read_bytes()
    for at in range(len(whole)):
        actions.path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(DamagedFileError):
            actions.read()
    actions.path.write_bytes(whole)
    assert actions.read().height == 60
