"""`data verify` finds any byte that is not as it was stored; `data repair` rebuilds what can be rebuilt."""

from __future__ import annotations

import io
import json
import random
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from made_bars import made_store
from openbell.cli.app import app
from openbell.errors import StoreError
from openbell.maintenance.repair import repair
from openbell.maintenance.verify import verify
from openbell.market_data.data_manager import DataManager
from openbell.store.checksum import BLANK_CHECKSUM, with_own_checksum
from openbell.store.store import BarStore, WriteReport
from openbell.testing import random_bars
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOVEMBER = "bars/interval=1m/symbol=A/2013-11.parquet"
DAILY = "bars/interval=1d/symbol=A/all.parquet"
LAST_MINUTE_OF_2013_11_15_NS = 1_384_549_140_000_000_000  # 15:59 in New York


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of A and B/C; A lacks one minute of 2013-11-15. Daily bars are the sums of minutes."""
    folder = made_store(
        tmp_path_factory.mktemp("whole") / "store", ["A", "B/C"], "2013-10-21", "2013-11-22", intervals=["1m"],
        keep=lambda symbol, interval, start_ns: symbol != "A" or start_ns != LAST_MINUTE_OF_2013_11_15_NS,
    )  # fmt: skip
    store = BarStore.open(folder)
    for symbol in store.symbols():
        minutes = store.read([symbol], "1m", None, None)
        sums = minutes.group_by_dynamic("timestamp", every="1d").agg(
            pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(),
            pl.col("volume").sum(),
        )  # fmt: skip
        store.write(symbol, "1d", sums)
    return folder


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "store")


def flip(path: Path, place: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1
    path.write_bytes(content)


def call(*args: object) -> Any:
    return CliRunner().invoke(app, ["data", *map(str, args)])


def everything(store: Path) -> dict[str, bytes]:
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}


def test_an_untouched_store_is_whole_and_neither_command_changes_it(store: Path) -> None:
    before = everything(store)
    verified, repaired = call("verify", "--store", store), call("repair", "--store", store)

    assert (verified.exit_code, repaired.exit_code) == (0, 0)
    assert "All 6 data files" in verified.stdout
    assert "Nothing to repair" in repaired.stdout
    assert everything(store) == before


def test_any_flipped_byte_of_any_file_is_found_and_its_file_named(store: Path) -> None:
    dice = random.Random(5)
    files = [p for p in store.rglob("*") if p.is_file() and p.name != ".lock"]
    assert len(files) == 8
    for path in files:
        content = path.read_bytes()
        for place in (0, len(content) - 1, *(dice.randrange(len(content)) for _ in range(6))):
            flip(path, place)
            assert path in [finding.path for finding in verify(store).damages], (path, place)
            path.write_bytes(content)
    assert verify(store).damages == ()


def test_a_finding_says_whose_bars_are_hit(store: Path) -> None:
    flip(store / NOVEMBER)
    (store / "bars/interval=1m/symbol=B%2FC/2013-10.parquet").unlink()
    result = call("verify", "--store", store, "--json")
    report = json.loads(result.stdout)
    table = call("verify", "--store", store).stdout

    assert result.exit_code == 1
    assert not report["ok"]
    facts = [(f["kind"], f["path"], f["symbol"], f["interval"], f["month"]) for f in report["findings"]]
    assert NOVEMBER in table, "a person reads which file it is"
    assert facts == [
        ("damaged", NOVEMBER, "A", "1m", "2013-11"),
        ("missing", "bars/interval=1m/symbol=B%2FC/2013-10.parquet", "B/C", "1m", "2013-10"),
    ]
    assert report["findings"][0]["rows"] == 16 * 390 - 1
    assert report["findings"][0]["first"].startswith("2013-11-01T13:30")
    assert all(word in table for word in ("2013-11", "B/C", "it is missing", "openbell data repair"))


def damage_month(store: Path) -> None:
    flip(store / NOVEMBER)


def lose_month(store: Path) -> None:
    (store / NOVEMBER).unlink()


def damage_daily(store: Path) -> None:
    (store / DAILY).write_bytes(b"PAR1")


def damage_manifest(store: Path) -> None:
    flip(store / "manifest.parquet")


def damage_manifest_and_month(store: Path) -> None:
    damage_manifest(store)
    (store / NOVEMBER).write_bytes((store / NOVEMBER).read_bytes()[:-50])


def lose_manifest(store: Path) -> None:
    (store / "manifest.parquet").unlink()


def damage_marker(store: Path) -> None:
    (store / "openbell-store.json").write_text("{")


def lose_marker(store: Path) -> None:
    (store / "openbell-store.json").unlink()


def leave_a_note_that_cannot_be_read(store: Path) -> None:
    (store / "pending.json").write_text("[[")


def put_in_a_foreign_file(store: Path) -> None:
    (store / "bars/interval=1m/symbol=A/notes.txt").write_text("mine")


def put_in_a_month_of_another_month(store: Path) -> None:
    shutil.copy(store / NOVEMBER, store / "bars/interval=1m/symbol=A/2013-12.parquet")


def put_in_a_good_month(store: Path) -> None:
    (store / "bars/interval=1m/symbol=D").mkdir()
    shutil.copy(store / NOVEMBER, store / "bars/interval=1m/symbol=D/2013-11.parquet")


ALL_DAMAGE = (
    damage_month, lose_month, damage_daily, damage_manifest, damage_manifest_and_month, lose_manifest, damage_marker,
    lose_marker, leave_a_note_that_cannot_be_read, put_in_a_foreign_file, put_in_a_month_of_another_month,
    put_in_a_good_month,
)  # fmt: skip


@pytest.mark.parametrize("damage", ALL_DAMAGE)
def test_after_a_repair_nothing_is_wrong_and_a_second_one_does_nothing(
    store: Path, damage: Callable[[Path], None]
) -> None:
    damage(store)
    assert verify(store).damages

    assert repair(store).repairs
    once = everything(store)

    assert verify(store).damages == ()
    assert repair(store).repairs == ()
    assert everything(store) == once
    opened = BarStore.open(store)
    assert opened.read(["A"], "1m", None, None).height >= 9 * 390
    assert opened.read(["B/C"], "1m", None, None).height == 25 * 390
    for coverage in opened.coverage():
        assert coverage.rows == opened.read([coverage.symbol], coverage.interval, None, None).height


def test_a_damaged_month_is_set_aside_reported_and_taken_by_the_next_import(store: Path) -> None:
    bars = BarStore.open(store).read(["A"], "1m", None, None)
    flip(store / NOVEMBER)
    result = call("repair", "--store", store, "--json")

    assert result.exit_code == 1
    (done,) = json.loads(result.stdout)["repairs"]
    assert (done["outcome"], done["rows_lost"]) == ("lost", 16 * 390 - 1)
    assert done["moved_to"] == "quarantine/damaged/interval=1m-symbol=A-2013-11-1.parquet"
    assert (store / done["moved_to"]).exists()
    assert "6,239 bars of 1 file are lost" in result.stderr
    assert BarStore.open(store).write("A", "1m", bars).added == 16 * 390 - 1
    assert_frame_equal(BarStore.open(store).read(["A"], "1m", None, None), bars)


def test_lost_daily_bars_are_built_from_complete_minutes_and_the_others_are_reported(store: Path) -> None:
    before = BarStore.open(store).read(["A"], "1d", None, None)
    damage_daily(store)
    result = call("repair", "--store", store)
    after = BarStore.open(store).read(["A"], "1d", None, None)

    assert result.exit_code == 1
    assert "partly rebuilt" in result.stdout
    assert "24 sessions" in result.stdout
    assert "1 bar of 1 file is lost" in result.stderr
    missing = before.join(after, on="timestamp", how="anti")
    assert missing["timestamp"].dt.strftime("%Y-%m-%d").to_list() == ["2013-11-15"]
    assert_frame_equal(after, before.join(after, on="timestamp", how="semi"))


def test_bars_that_a_repair_built_stay_marked_until_the_vendors_come(store: Path) -> None:
    vendors = BarStore.open(store).read(["B/C"], "1d", None, None).drop("symbol")
    (store / "bars/interval=1d/symbol=B%2FC/all.parquet").unlink()
    repair(store)

    def built() -> list[str]:
        listed = json.loads(call("ls", "--built", "--store", store, "--json").stdout)
        assert {(b["symbol"], b["interval"], b["made_of"]) for b in listed} <= {("B/C", "1d", 390)}
        assert [b["timestamp"] for b in listed] == [
            f"{t:%Y-%m-%dT00:00:00+00:00}" for t in BarStore.open(store).built("B/C", "1d")["timestamp"]
        ]
        return [b["timestamp"][:10] for b in listed]

    days = vendors["timestamp"].dt.strftime("%Y-%m-%d").to_list()
    assert built() == days
    assert "25 of these bars were built" in call("ls", "--store", store).stdout
    # Other writes, a lost manifest, a removal: the mark stays with its bar.
    later = vendors.head(1).with_columns(pl.col("timestamp").dt.offset_by("90d"))
    BarStore.open(store).write("B/C", "1d", later)
    lose_manifest(store)
    repair(store)
    call("rm", "B/C", "--interval", "1d", "--to", days[0], "--store", store, "--yes")
    assert built() == days[1:]
    # A vendor's bar revises one that was built, also with the same values, and then it is the vendor's.
    assert BarStore.open(store).write("B/C", "1d", vendors[1:3]) == WriteReport(revised=2)
    assert BarStore.open(store).write("B/C", "1d", vendors[1:3]) == WriteReport(unchanged=2)
    assert built() == days[3:]
    assert_frame_equal(
        BarStore.open(store).read(["B/C"], "1d", None, None).drop("symbol"), pl.concat([vendors[1:], later])
    )
    assert verify(store).damages == ()


def test_a_session_sees_which_bars_were_built_as_it_does_those_of_gap_fill(store: Path) -> None:
    (store / "bars/interval=1d/symbol=B%2FC/all.parquet").unlink()
    repair(store)
    opened = BarStore.open(store)
    opened.write("B/C", "1d", opened.read(["B/C"], "1d", None, None).tail(1))
    bars = DataManager(opened, TimeManager("XNYS")).load_historical_bars(
        "B/C", "1d", date(2013, 11, 18), date(2013, 11, 22)
    )

    assert bars.count.tolist() == [390, 390, 390, 390, 1]


def test_a_manifest_of_before_there_were_built_bars_is_read(store: Path) -> None:
    before = BarStore.open(store).coverage()
    path = store / "manifest.parquet"
    buffer = io.BytesIO()
    pl.read_parquet(path).drop("built").write_parquet(buffer, metadata=BLANK_CHECKSUM)
    path.write_bytes(with_own_checksum(buffer.getvalue()))

    assert BarStore.open(store).coverage() == before
    assert verify(store).damages == ()


def test_lost_minutes_are_built_from_complete_seconds(tmp_path: Path) -> None:
    session = TimeManager("XNYS").session(date(2013, 11, 29))
    starts = np.arange(session.open_ns, session.close_ns, 10**9)
    folder = tmp_path / "store"
    whole = BarStore.open_or_create(folder)
    # One second is missing in the second minute.
    whole.write("A", "1s", random_bars(np.delete(starts, 75)))
    minutes = random_bars(starts[::60])
    whole.write("A", "1m", minutes)
    whole.write("A", "1d", random_bars(np.array([16038 * 86_400 * 10**9])))
    for path in folder.glob("bars/interval=1[md]/*/*.parquet"):
        path.unlink()
    report = repair(folder)

    outcomes = {r.damage.partition.interval: (r.outcome, r.rows_lost) for r in report.repairs if r.damage.partition}
    assert outcomes == {"1m": ("partly rebuilt", 1), "1d": ("lost", 1)}
    after = BarStore.open(folder).read(["A"], "1m", None, None)
    assert after["timestamp"].to_list() == np.delete(minutes["timestamp"].to_list(), 1).tolist()
    assert BarStore.open(folder).built("A", "1m")["built"].to_list() == [60] * 209
    assert verify(folder).damages == repair(folder).repairs == ()


def test_when_all_daily_bars_can_be_built_nothing_is_lost(store: Path) -> None:
    before = BarStore.open(store).read(["B/C"], "1d", None, None)
    (store / "bars/interval=1d/symbol=B%2FC/all.parquet").unlink()
    result = call("repair", "--store", store, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["repairs"][0]["outcome"] == "rebuilt"
    assert_frame_equal(BarStore.open(store).read(["B/C"], "1d", None, None), before)


def test_a_manifest_is_rebuilt_as_it_was_and_takes_no_bars_that_contradict_themselves(store: Path) -> None:
    before = BarStore.open(store).coverage()
    damage_manifest(store)
    path = store / NOVEMBER
    pl.read_parquet(path).with_columns(low=pl.lit(1e9)).write_parquet(path)
    result = call("repair", "--store", store, "--json")

    outcomes = {r["path"]: r["outcome"] for r in json.loads(result.stdout)["repairs"]}
    assert outcomes == {"manifest.parquet": "rebuilt", NOVEMBER: "lost"}
    assert [c for c in BarStore.open(store).coverage() if (c.symbol, c.interval) != ("A", "1m")] == [
        c for c in before if (c.symbol, c.interval) != ("A", "1m")
    ]


def test_a_good_file_that_was_copied_in_is_adopted(store: Path) -> None:
    put_in_a_good_month(store)
    (done,) = repair(store).repairs

    assert done.outcome == "adopted"
    assert BarStore.open(store).read(["D"], "1m", None, None).height == 16 * 390 - 1


@pytest.mark.parametrize("by", ["repair", "another write"])
def test_files_of_other_types_are_taken_in_when_the_manifest_is_lost(store: Path, by: str) -> None:
    before = BarStore.open(store).read(["A"], "1m", None, None)
    for name in (NOVEMBER, DAILY):
        times, volume = pl.col("timestamp").dt.cast_time_unit("us"), pl.col("volume").cast(pl.Int64)
        pl.read_parquet(store / name).with_columns(times, volume).write_parquet(store / name)
    (store / "manifest.parquet").unlink()
    (reason,) = (finding.reason for finding in verify(store).damages if finding.path == store / NOVEMBER)
    assert "its timestamps are Datetime(time_unit='us'" in reason
    if by == "another write":
        BarStore.open(store).write("D", "1m", before.drop("symbol"))
    report = repair(store)

    assert report.lost == ()
    assert verify(store).damages == ()
    assert_frame_equal(BarStore.open(store).read(["A"], "1m", None, None), before)
    assert pl.read_parquet_schema(store / DAILY)["timestamp"] == pl.Datetime("ns", "UTC")


def test_damaged_corporate_actions_are_found(store: Path) -> None:
    (store / "actions").mkdir()
    (store / "actions" / "actions.parquet").write_bytes(b"PAR1")

    assert [finding.kind for finding in verify(store).damages] == ["actions"]
    assert [r.outcome for r in repair(store).repairs] == ["lost"]
    assert verify(store).damages == ()


@pytest.mark.parametrize("damage", [damage_marker, lose_marker])
def test_a_store_without_its_marker_points_to_its_repair(store: Path, damage: Callable[[Path], None]) -> None:
    damage(store)
    listed = call("ls", "--store", store)

    assert listed.exit_code == 1
    assert "openbell-store.json is damaged" in listed.stderr
    assert f"openbell data repair --store {store}" in listed.stderr
    assert call("repair", "--store", store).exit_code == 0
    assert call("ls", "--store", store).exit_code == 0


def test_a_folder_that_is_no_store_is_reported(tmp_path: Path) -> None:
    for command in (verify, repair):
        with pytest.raises(StoreError, match="not an openbell store"):
            command(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_a_newer_openbell_is_left_alone(store: Path) -> None:
    (store / "openbell-store.json").write_text('{"format": "openbell-store", "schema_version": 9}')
    result = call("repair", "--store", store)

    assert result.exit_code == 1
    assert "newer openbell" in result.stderr
