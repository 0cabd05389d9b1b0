"""LEAN's factor and map files give the actions that they were made of."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openbell.actions import ActionStore
from openbell.importers.lean.actions import import_lean_actions
from openbell.importers.lean.lean import import_lean
from openbell.market_data.data_manager import DataManager
from openbell.store.store import BarStore
from openbell.timing.time_manager import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

XNYS = TimeManager("XNYS")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return BarStore.open_or_create(tmp_path / "store").path


def lean_folder(folder: Path, **files: str) -> Path:
    """A folder ``equity/usa`` with files by their path, "__" for "/"."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def found(store: Path, symbol: str) -> list[tuple]:
    return [(str(a.ex_date), a.type, a.value or a.new_symbol) for a in ActionStore(store).book().of(symbol)]


def test_the_splits_and_dividends_of_the_real_files_are_those_of_history(lean_store: BarStore) -> None:
    splits = {s: [a for a in found(lean_store.path, s) if a[1] == "split"] for s in ("SPY", "IBM", "BAC", "AIG")}

    assert splits == {
        "SPY": [],
        "IBM": [("1999-05-27", "split", 2.0)],
        "BAC": [("2004-08-30", "split", 2.0)],
        "AIG": [
            ("1998-08-03", "split", 1.5),
            ("1999-08-02", "split", 1.25),
            ("2000-07-31", "split", 1.5),
            ("2009-07-01", "split", 0.05),
        ],
    }
    assert found(lean_store.path, "SPY")[-1] == ("2021-03-19", "dividend", 1.2778)
    assert found(lean_store.path, "NB") == [("1998-10-01", "rename", "BAC")]


@pytest.mark.parametrize("symbol", ["SPY", "IBM", "BAC", "AIG"])
@pytest.mark.parametrize("adjustment", ["split", "total"])
def test_adjusted_closes_are_those_by_the_factors_of_the_file(
    lean_store: BarStore, lean_dir: Path, symbol: str, adjustment: str
) -> None:
    last = date(2021, 3, 31)
    known = DataManager(lean_store, XNYS, adjustment=adjustment)  # type: ignore[arg-type]
    raw = known.load_historical_bars(symbol, "1d", date(1998, 10, 1), last)
    seen = known.load_historical_bars(symbol, "1d", date(1998, 10, 1), last, as_of=last)
    lines = (lean_dir / f"equity/usa/factor_files/{symbol.lower()}.csv").read_text().split()
    rows = [line.split(",") for line in lines]
    through = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d, *_ in rows], "datetime64[D]")
    price, split = (np.array([float(row[i]) for row in rows]) for i in (1, 2))
    row = through.searchsorted(raw.timestamp.astype("datetime64[ns]").astype("datetime64[D]"))
    factor = split[row] * (price[row] if adjustment == "total" else 1.0)

    assert np.allclose(seen.close, raw.close * factor, rtol=2e-5)


def test_an_import_of_leans_folder_brings_the_actions_once(lean_dir: Path, store: Path) -> None:
    first = import_lean(lean_dir, BarStore.open_or_create(store), symbols=["spy"], intervals=["1d"])
    again = import_lean(lean_dir, BarStore.open_or_create(store), symbols=["spy"], intervals=["1d"])

    assert first.actions is not None
    assert again.actions is not None
    assert (first.actions.added, first.actions.revised) == (94, 0)
    assert (again.actions.added, again.actions.unchanged) == (0, 94)
    assert ActionStore(store).book().symbols == ("SPY",)


def test_a_split_and_a_dividend_of_one_day_are_both_found(tmp_path: Path, store: Path) -> None:
    root = lean_folder(tmp_path, factor_files__xyz="20200102,0.4925,0.5,1\n20200110,0.4925,0.5,200\n20501231,0.5,1,0\n")
    import_lean_actions(root, store)

    assert found(store, "XYZ") == [("2020-01-13", "dividend", 3.0), ("2020-01-13", "split", 2.0)]


def test_a_rename_is_at_the_session_after_the_last_day_of_the_old_name(tmp_path: Path, store: Path) -> None:
    root = lean_folder(tmp_path, map_files__googl="20040819,goog,Q\n20140402,goog,Q\n20501231,googl,Q\n")
    report = import_lean_actions(root, store)

    assert found(store, "GOOG") == [("2014-04-03", "rename", "GOOGL")]
    assert report.written.added == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("20200102,1,1,1\n2020,x,1,1\n", "line 2 cannot be read"),
        ("20200102,0.9\n20501231,1,1,0\n", "line 1 cannot be read"),
        ("20200102,0,1,1\n20501231,1,1,0\n", "line 1 cannot be read .* a factor is not above 0"),
        ("20200102,1,1,50\n20501231,0.9,1,0\n", "line 2: the price factor falls"),
        ("20200102,0.9,1,0\n20501231,1,1,0\n", "line 2: .* the close before it is missing"),
        ("20200102,0.9,1,10\n20200103,1,1,10\n99991231,0.8,1,0\n", "line 3: the price factor falls"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_costs_no_other(
    tmp_path: Path, store: Path, text: str, told: str
) -> None:
    root = lean_folder(tmp_path, factor_files__bad=text, factor_files__good="20200110,1,0.5,10\n20501231,1,1,0\n")
    report = import_lean_actions(root, store)

    ((path, reason),) = report.failed
    assert path.name == "bad.csv"
    with pytest.raises(ValueError, match=told):
        raise ValueError(reason)
    assert ActionStore(store).book().symbols == ("GOOD",)


def test_a_row_that_marks_the_beginning_of_the_data_is_passed_over(tmp_path: Path, store: Path) -> None:
    text = "20190102,inf,inf,1\n20200110,1,0.5,10\n20501231,1,1,0\n"
    import_lean_actions(lean_folder(tmp_path, factor_files__xyz=text), store)

    assert found(store, "XYZ") == [("2020-01-13", "split", 2.0)]
