"""Whatever is named as a store, and whatever is in it, a command on it ends in words and with an exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell.cli.app import app
from openbell.errors import BadBarsError, UnreadableFileError
from openbell.maintenance.repair import repair
from openbell.maintenance.verify import verify
from openbell.store.label import write_label
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = ("ls", "ls --built", "check", "verify", "repair", "actions", "rm A --yes")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(tmp_path_factory.mktemp("whole") / "store", ["A"], "2024-05-30", "2024-06-04")


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "store")


def call(*words: object) -> Any:
    """The outcome of a data command, which raised nothing."""
    result = CliRunner().invoke(app, ["data", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def names(tmp_path: Path) -> dict[str, str]:
    """Names of stores that cannot be."""
    (tmp_path / "file").write_text("text")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return {
        "long": "a" * 300,
        "long path": "/".join(["a" * 200] * 30),
        "below a file": str(tmp_path / "file" / "below"),
        "deep below a file": str(tmp_path / "file" / "deep" / "below"),
        "NUL": "a\x00b",
        "surrogate": "a\ud800b",
        "file": str(tmp_path / "file"),
        "link to itself": str(tmp_path / "loop"),
        "device": "/dev/null",
        "empty": "",
    }


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "name",
    ["long", "long path", "below a file", "deep below a file", "NUL", "surrogate", "file", "link to itself", "device"],
)
def test_a_store_that_cannot_be_is_reported(names: dict[str, str], command: str, name: str) -> None:
    result = call(*command.split(), "--store", names[name])

    assert result.exit_code == 2, result.output
    assert "rror: " in result.stderr


@pytest.mark.parametrize(
    "name", ["long", "long path", "below a file", "deep below a file", "NUL", "surrogate", "device"]
)
def test_nothing_is_imported_into_a_store_that_cannot_be(tmp_path: Path, names: dict[str, str], name: str) -> None:
    (tmp_path / "A.csv").write_text("timestamp,open,high,low,close,volume\n2024-07-01T14:30:00Z,1,1,1,1,1\n")
    (tmp_path / "actions.csv").write_text("symbol,ex_date,type,value\nA,2024-07-01,split,2\n")
    bars = call("import", "csv", tmp_path / "A.csv", "--interval", "1m", "--yes", "--store", names[name])
    actions = call("import", "actions", tmp_path / "actions.csv", "--store", names[name])

    assert {bars.exit_code, actions.exit_code} == {2}, (bars.output, actions.output)


FIRST, LAST = "0001-01-01", "9999-12-31"


@pytest.mark.parametrize(
    ("span", "left"),
    [
        (("--to", LAST), 0), (("--from", FIRST), 0), (("--from", FIRST, "--to", LAST), 0), (("--to", FIRST), 4),
        (("--from", LAST), 4), (("--from", "2024-06-03", "--to", LAST), 2),
        (("--from", FIRST, "--to", "2024-05-31"), 2), (("--from", "1600-01-01", "--to", "2300-01-01"), 0),
        (("--from", "2300-01-01", "--to", "1600-01-01"), 4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("interval", ["1m", "1d"])
def test_days_of_any_year_name_what_is_removed(store: Path, span: tuple[str, ...], left: int, interval: str) -> None:
    assert call("rm", "A", "--interval", interval, *span, "--store", store, "--yes").exit_code == 0

    rows = BarStore.open(store).read(["A"], interval, date.min, date.max)
    assert rows["timestamp"].dt.date().n_unique() == left
    assert verify(store).damages == ()


@pytest.mark.parametrize("year", [1, 1600, 1677, 2262, 2263, 9999])
@pytest.mark.parametrize(("unit", "interval"), [("us", "1m"), ("ms", "1m"), ("us", "1d")])
def test_bars_of_years_that_a_store_does_not_reach_are_refused(
    tmp_path: Path, year: int, unit: Any, interval: str
) -> None:
    times = pl.Series("timestamp", [datetime(2024, 1, 2, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC)])
    frame = times.cast(pl.Datetime(unit, "UTC")).to_frame()
    frame = frame.with_columns(pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close", "volume"))

    with pytest.raises(BadBarsError, match=f"year {year}"):
        BarStore.open_or_create(tmp_path / "store").write("A", interval, frame)
    assert not (tmp_path / "store").exists()


def folder_for(name: str) -> Callable[[Path], None]:
    def put(store: Path) -> None:
        (store / name).unlink(missing_ok=True)
        (store / name).mkdir(parents=True)

    return put


def content_for(name: str, content: bytes) -> Callable[[Path], None]:
    def put(store: Path) -> None:
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_bytes(content)

    return put


DEEP = b"[" * 100_000
MARKER = "openbell-store.json"
MAY = "bars/interval=1m/symbol=A/2024-05.parquet"
DAMAGES = {
    "manifest is a folder": folder_for("manifest.parquet"),
    "marker is a folder": folder_for(MARKER),
    "note is a folder": folder_for("pending.json"),
    "the actions are a folder": folder_for("actions/actions.parquet"),
    "the label is a folder": folder_for("LABEL.txt"),
    "a month of daily bars is a folder": folder_for("bars/interval=1d/symbol=A/all.parquet"),
    "a new month is a folder": folder_for("bars/interval=1m/symbol=A/2024-12.parquet"),
    "marker is nested": content_for(MARKER, DEEP),
    "marker is a number": content_for(MARKER, b'{"schema_version": 1e999}'),
    "marker has a long number": content_for(MARKER, b'{"schema_version": ' + b"9" * 5000 + b"}"),
    "marker is null": content_for(MARKER, b"null"),
    "note is nested": content_for("pending.json", DEEP),
    "note is a number": content_for("pending.json", b"9" * 5000),
    "a file is no month": content_for("bars/interval=1m/symbol=A/notes.parquet", b"PAR1"),
    "a file is of no month": content_for("bars/interval=1m/symbol=A/2024-13.parquet", b"PAR1"),
    "a file is of no interval": content_for("bars/interval=5m/symbol=A/2024-05.parquet", b"PAR1"),
    "a file is of no symbol": content_for("bars/interval=1m/symbol=/2024-05.parquet", b"PAR1"),
    "a file is of a symbol that is written otherwise": content_for("bars/interval=1m/symbol=%41/2024-05.parquet", b""),
    "a file is of a symbol with an escape": content_for("bars/interval=1m/symbol=%1B/2024-05.parquet", b"PAR1"),
    "the actions are noise": content_for("actions/actions.parquet", b"PAR1"),
    "the label is noise": content_for("LABEL.txt", b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("is_lost", [False, pytest.param(True, marks=pytest.mark.long)], ids=["", "no manifest"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_in_a_store_is_found_and_can_be_repaired(store: Path, damage: str, is_lost: bool) -> None:
    DAMAGES[damage](store)
    if is_lost and (store / "manifest.parquet").is_file():
        (store / "manifest.parquet").unlink()
    for command in ("ls", "ls --built", "check"):
        call(*command.split(), "--store", store)
    assert call("verify", "--store", store).exit_code == 1

    call("repair", "--store", store)
    assert call("verify", "--store", store).exit_code == 0
    assert BarStore.open(store).read(["A"], "1m", None, None).height == 4 * 390


# Runs commands without the right of the system's administrator to read everything.
UNPRIVILEGED = """
import ctypes, json, os, sys
from typer.testing import CliRunner
from openbell.cli.app import app

if not os.getuid():
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    assert not ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)())
outcomes = {}
for store, commands in json.loads(sys.argv[1]).items():
    done = [CliRunner().invoke(app, ["data", *command.split(), "--store", store]) for command in commands]
    outcomes[store] = [(each.exit_code, each.stdout, each.stderr, repr(each.exception)) for each in done]
print(json.dumps(outcomes))
"""


def unprivileged(commands: dict[Path, tuple[str, ...]]) -> dict[Path, list[tuple[int, str, str, str]]]:
    """The outcomes of commands by store: exit code, what was printed, and the exception; all in one process."""
    words = json.dumps({str(store): texts for store, texts in commands.items()})
    command = [sys.executable, "-c", UNPRIVILEGED, words]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {store: done[str(store)] for store in commands}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="rights are given up in Linux's way")
def test_what_one_may_not_read_is_reported(whole: Path, tmp_path: Path) -> None:
    hidden = {tmp_path / str(n): name for n, name in enumerate(["", "manifest.parquet", MARKER, "bars", MAY])}
    modes = {}
    for store, name in hidden.items():
        shutil.copytree(whole, store)
        modes[store] = (store / name).stat().st_mode
        (store / name).chmod(0)
    try:
        outcomes = unprivileged(dict.fromkeys(hidden, ("ls", "actions", "check", "verify")))
    finally:
        for store, name in hidden.items():
            (store / name).chmod(modes[store])

    for store, done in outcomes.items():
        verified = done[-1]
        assert {exception for *_, exception in done} <= {"None", "SystemExit(1)", "SystemExit(2)"}, hidden[store]
        assert verified[0] in (1, 2), hidden[store]
        reported = " ".join((verified[1] + verified[2]).split())
        assert "ermission denied" in reported or "not readable" in reported, hidden[store]
        # Nothing is taken for damaged, or as not there, because one may not look at it.
        assert verify(store).damages == (), hidden[store]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="rights are given up in Linux's way")
def test_a_repair_leaves_what_it_may_not_read(store: Path, tmp_path: Path) -> None:
    write_label(store, "made up")
    before = {path.relative_to(store): path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file()}
    hidden = {tmp_path / str(n): name for n, name in enumerate(["manifest.parquet", MARKER, MAY, "LABEL.txt"])}
    for copy, name in hidden.items():
        shutil.copytree(store, copy)
        (copy / name).chmod(0)
    try:
        outcomes = unprivileged(dict.fromkeys(hidden, ("repair", "verify")))
    finally:
        for copy, name in hidden.items():
            (copy / name).chmod(0o644)

    for copy, done in outcomes.items():
        for code, out, told, exception in done:
            assert (code, exception) == (1, "SystemExit(1)"), (hidden[copy], told)
            assert "ermission denied" in " ".join((out + told).split()), hidden[copy]
        assert {path: (copy / path).read_bytes() for path in before} == before, hidden[copy]
        assert not list((copy / "quarantine").glob("damaged/*")), hidden[copy]
        assert verify(copy).damages == (), hidden[copy]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a file that fails to be read is Linux's")
def test_a_file_that_the_disk_does_not_give_is_not_called_damaged(store: Path) -> None:
    (store / MAY).rename(store.parent / "kept")
    (store / MAY).symlink_to("/proc/self/mem")
    (damage,) = verify(store).damages
    with pytest.raises(UnreadableFileError, match=r"cannot be read \(Input/output error\). It may be as it was stored"):
        BarStore.open(store).read(["A"], "1m", None, None)
    report = repair(store)

    assert (damage.kind, [r.outcome for r in report.repairs]) == ("unreadable", ["left"])
    assert (store / MAY).is_symlink()


def test_json_of_a_verification_names_every_kind_of_damage(store: Path) -> None:
    for name in ("LABEL.txt", "actions/actions.parquet"):
        content_for(name, b"PAR1")(store)
    report = json.loads(call("verify", "--store", store, "--json").stdout)

    assert [(f["kind"], f["path"]) for f in report["findings"]] == [
        ("actions", "actions/actions.parquet"), ("label", "LABEL.txt"),
    ]  # fmt: skip
