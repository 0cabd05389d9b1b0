"""A disk that is full ends a command in words, with what was done so far; the command goes on when there is room."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from made_bars import made_store
from openbell.maintenance.verify import verify
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

resource = pytest.importorskip("resource", reason="the system limits no file sizes")

pytestmark = pytest.mark.long

# Every write beyond that many bytes of a file fails, as on a full disk.
LIMITED = """
import resource, sys
limit = int(sys.argv.pop(1))
from openbell.cli.app import main
import filelock, structlog, openbell.engine.system, openbell.maintenance.repair
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main()
"""


def call(limit: int, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMITED, str(limit), *map(str, words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    made_store(folder / "store", ["A", "B"], "2024-05-29", "2024-06-12")
    (folder / "session.yaml").write_text(
        "session_name: full\nmode: backtest\nexchange: XNYS\nstore: store\n"
        "backtest_config: {start_date: 2024-06-10, end_date: 2024-06-12}\n"
        "session_data_config: {symbols: [A, B], streams: [1m]}\n"
    )
    return folder


@pytest.mark.parametrize("limit", [0, 1500])
def test_a_run_whose_folder_cannot_be_written_says_so_with_its_summary(whole: Path, tmp_path: Path, limit: int) -> None:
    shown = call(limit, "run", whole / "session.yaml", "--out", tmp_path / "shown")
    as_json = call(limit, "run", whole / "session.yaml", "--out", tmp_path / "json", "--json")

    for done in (shown, as_json):
        assert done.returncode in (1, 2)
        assert f"cannot write {tmp_path}" in done.stderr
        assert "File too large" in done.stderr
    assert "cannot write" in json.loads(as_json.stdout)["error"]


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize(
    "damaged", ["manifest.parquet", "openbell-store.json", "bars/interval=1d/symbol=A/all.parquet"]
)
def test_a_repair_that_finds_no_room_says_so_and_goes_on_when_there_is(
    whole: Path, tmp_path: Path, limit: int, damaged: str
) -> None:
    store = shutil.copytree(whole / "store", tmp_path / "store")
    (store / damaged).unlink()
    done = call(limit, "data", "repair", "--store", store)
    if "File too large" in done.stderr:
        assert done.returncode == 1
        assert call(2**40, "data", "repair", "--store", store).returncode in (0, 1)

    assert verify(store).damages == ()
    assert BarStore.open(store).read(["A"], "1m", None, None).height == 11 * 390


@pytest.mark.parametrize("limit", [0, 1000])
def test_an_import_that_finds_no_room_leaves_the_store_as_it_was(whole: Path, tmp_path: Path, limit: int) -> None:
    store = shutil.copytree(whole / "store", tmp_path / "store")
    before = BarStore.open(store).coverage()
    rows = "".join(f"2024-07-01T14:{m:02}:00Z,10,11,9,10,{m}\n" for m in range(60))
    (tmp_path / "C.csv").write_text(f"timestamp,open,high,low,close,volume\n{rows}2024-07-01T15:00:00Z,1,0,2,1,1\n")
    (tmp_path / "actions.csv").write_text("symbol,ex_date,type,value\nA,2024-07-01,split,2\nA,never,split,2\n")
    bars = call(limit, "data", "import", "csv", tmp_path / "C.csv", "--interval", "1m", "--store", store, "--yes")
    actions = call(limit, "data", "import", "actions", tmp_path / "actions.csv", "--store", store)

    assert {bars.returncode, actions.returncode} <= {0, 1}
    assert limit or {bars.returncode, actions.returncode} == {1}
    assert verify(store).damages == ()
    assert [each for each in BarStore.open(store).coverage() if each.symbol != "C"] == before


def test_rows_that_are_set_aside_and_find_no_room_are_no_fault_of_the_file(whole: Path, tmp_path: Path) -> None:
    store = shutil.copytree(whole / "store", tmp_path / "store")
    good = "".join(f"2024-07-01T14:{m:02}:00Z,10,11,9,10,{m}\n" for m in range(60))
    bad = "".join(f"2024-07-01T15:{m:02}:00Z,10,9,11,10,{'9' * 200}\n" for m in range(60))
    (tmp_path / "C.csv").write_text(f"timestamp,open,high,low,close,volume\n{good}{bad}")
    # The bars of 60 minutes fit, the text of the others does not.
    words = ("data", "import", "csv", tmp_path / "C.csv", "--interval", "1m", "--store", store, "--yes")
    done = call(12_000, *words)

    assert done.returncode == 1
    assert f"error: cannot write to {store / 'quarantine'}: File too large" in done.stderr
    assert BarStore.open(store).read(["C"], "1m", None, None).height in (0, 60)
    assert not [path for path in (store / "quarantine").glob("*") if path.is_file()]
    assert verify(store).damages == ()
    assert (
        call(
            2**40, "data", "import", "csv", tmp_path / "C.csv", "--interval", "1m", "--store", store, "--yes"
        ).returncode
        == 0
    )
    (aside,) = (store / "quarantine").glob("C-*.csv")
    assert len(aside.read_text().splitlines()) == 61
