"""Commands and configs take the address of a store wherever they take its folder, and show no credentials."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from faulty_proxy import Fault
from object_bars import bars
from openbell.cli.app import app
from openbell.errors import ConfigError
from openbell.inspection import open_run
from openbell.maintenance.copy import copy_store
from openbell.model.address import StoreAddress, place_of
from openbell.store.manifest import Manifest
from openbell.store.objects.backing import object_backing
from openbell.store.objects.object_client import RETRIES
from openbell.store.store import BarStore
from s3_server import SECRET

if TYPE_CHECKING:
    from faulty_proxy import FaultyProxy


def call(*words: object) -> Any:
    """The outcome of a command, which raised nothing and shows no secret."""
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert SECRET not in result.output + result.stderr
    return result


@pytest.fixture
def demo(demo_master: Path, address: StoreAddress, tmp_path: Path) -> Path:
    """The demo's config, whose store is at the address."""
    copy_store(demo_master / "store", address)
    folder = shutil.copytree(demo_master, tmp_path / "demo", ignore=shutil.ignore_patterns("runs", "store"))
    config = yaml.safe_load((folder / "session.yaml").read_text())
    config["store"] = str(address)
    (folder / "session.yaml").write_text(yaml.safe_dump(config))
    return folder / "session.yaml"


@pytest.mark.long
def test_the_demo_runs_from_object_storage_as_from_its_folder(
    demo_master: Path, demo: Path, address: StoreAddress, tmp_path: Path
) -> None:
    runs = []
    for name, store in (("local", ["--store", demo_master / "store"]), ("objects", [])):
        result = call("-vv", "run", demo, *store, "--out", tmp_path / name)
        assert result.exit_code == 0, result.stderr
        files = [p for p in (tmp_path / name).iterdir() if p.suffix in (".jsonl", ".parquet")]
        # The journal says how long each step took.
        runs.append({p.name: p.read_bytes() for p in files if p.name != "journal.jsonl"})
    assert runs[0] == runs[1]
    assert len(runs[0]) > 5
    shown = b"".join(p.read_bytes() for p in (tmp_path / "objects").iterdir() if p.is_file())
    assert SECRET.encode() not in shown
    assert str(address).encode() in shown
    assert call("check", demo).exit_code == 0
    assert call("report", tmp_path / "objects", "--store", address, "--out", tmp_path / "report.html").exit_code == 0
    opened = open_run(tmp_path / "local", store=str(address))
    assert opened.session(opened.days[0]).session_date == opened.days[0]
    assert call("new", "strategy", "mine", "--store", address, "--into", tmp_path / "new").exit_code == 0


@pytest.mark.long
def test_processes_side_by_side_read_from_object_storage(demo: Path, tmp_path: Path) -> None:
    values = ["--set", "strategies.0.config.fast=3,4", "--out", tmp_path / "sweep", "--jobs", 2]
    assert call("sweep", demo, *values).exit_code == 0
    assert call("plan", demo).exit_code == 0


def test_data_commands_take_an_address(address: StoreAddress, tmp_path: Path) -> None:
    path = tmp_path / "SPY.csv"
    bars(100, 60, hour=15).with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S%z")).write_csv(path)
    result = call("data", "import", "csv", path, "--store", address, "--interval", "1m", "--yes")
    assert result.exit_code == 0, result.stderr
    listing = json.loads(call("data", "ls", "--store", address, "--json").stdout)
    assert [(entry["symbol"], entry["rows"]) for entry in listing] == [("SPY", 60)]
    assert "All 1 data files" in call("data", "verify", "--store", address).stdout
    assert call("data", "check", "--store", address).exit_code in (0, 1)
    actions = tmp_path / "actions.csv"
    actions.write_text("symbol,ex_date,type,value\nSPY,2013-11-04,split,2\n")
    assert call("data", "import", "actions", actions, "--store", address).exit_code == 0
    assert "SPY" in call("data", "actions", "--store", address).stdout
    object_backing(address).objects.put("bars/interval=1m/symbol=X/2013-10-0123456789abcdef.parquet", b"left")
    assert "1 object that the manifest does not list" in call("data", "verify", "--store", address).stderr
    assert "Nothing to repair" in call("data", "repair", "--store", address).stdout
    assert call("data", "verify", "--store", address).stderr == ""
    assert call("data", "rm", "SPY", "--yes", "--store", address).exit_code == 0
    assert json.loads(call("data", "ls", "--store", address, "--json").stdout) == []


@pytest.mark.parametrize(
    ("pattern", "symbols"),
    [
        ("*.csv.gz", ["IBM", "SPY"]),
        pytest.param("S?Y.csv.gz", ["SPY"], marks=pytest.mark.long),
        pytest.param("[!I]*.csv.gz", ["SPY"], marks=pytest.mark.long),
        pytest.param("{symbol}.csv.gz", ["IBM", "SPY"], marks=pytest.mark.long),
        ("SPY.csv.gz", ["SPY"]),
    ],
)
def test_files_are_imported_straight_from_a_bucket(
    address: StoreAddress, tmp_path: Path, pattern: str, symbols: list[str]
) -> None:
    raw = StoreAddress("s3", address.bucket, "raw")
    frame = bars(100, 60, hour=15).with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S%z"))
    for name in ("SPY", "IBM"):
        object_backing(raw).objects.put(f"{name}.csv.gz", gzip.compress(frame.write_csv().encode()))
    object_backing(raw).objects.put("more/AIG.csv.gz", b"not meant")
    result = call("data", "import", "csv", f"{raw}/{pattern}", "--store", tmp_path / "s", "--yes")
    assert result.exit_code == 0, result.stderr
    assert list(BarStore.open(tmp_path / "s").symbols()) == symbols
    assert f"{raw}/{symbols[0]}.csv.gz" in result.stdout.replace("\n", "")
    assert str(tmp_path / "cache") not in result.stdout.replace("\n", "")
    assert list((tmp_path / "cache" / "imports").iterdir()) == []


def test_a_file_that_cannot_be_read_is_named_as_it_was_given(address: StoreAddress, tmp_path: Path) -> None:
    raw = StoreAddress("s3", address.bucket, "raw")
    frame = bars(100, 60, hour=15).with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S%z"))
    object_backing(raw).objects.put("A.csv", frame.write_csv().encode())
    object_backing(raw).objects.put("B.csv.gz", b"nonsense")
    result = call("data", "import", "csv", raw, "--store", tmp_path / "s", "--interval", "1m", "--yes")
    assert result.exit_code == 1
    assert f"error: {raw}/B.csv.gz was not imported" in result.stderr
    result = call("data", "import", "csv", f"{raw}/*.txt", "--store", tmp_path / "s", "--interval", "1m")
    assert (result.exit_code, result.stderr) == (2, f"error: no file fits {raw}/*.txt.\n")
    result = call("data", "import", "csv", f"{raw}/C.csv", "--store", tmp_path / "s", "--interval", "1m")
    assert (result.exit_code, result.stderr) == (2, f"error: there is no file {raw}/C.csv.\n")


def test_errors_say_what_is_wrong(
    address: StoreAddress, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(RETRIES, "max_retries", 1)
    nowhere = "s3://no-such-bucket/prefix"
    for words in (
        ["ls", "--store", nowhere],
        ["import", "csv", tmp_path, "--store", nowhere],
        ["cp", nowhere, tmp_path],
    ):
        (tmp_path / "A.csv").write_text("time,open,high,low,close,volume\n2013-10-01 10:00,1,1,1,1,1\n")
        result = call("data", *words, *(["--yes", "--timezone", "UTC", "--interval", "1m"] if "csv" in words else []))
        assert result.exit_code == 2
        assert "there is no bucket no-such-bucket at 127.0.0.1" in result.stderr
    result = call("data", "ls", "--store", address)
    assert (result.exit_code, "is not an openbell store" in result.stderr) == (2, True)
    BarStore.open_or_create(address).write("SPY", "1m", bars(1))
    proxy.choose = lambda method, path: Fault("denied")
    result = call("data", "ls", "--store", address)
    assert result.exit_code == 1
    assert "access is denied (403 AccessDenied). Check AWS_ACCESS_KEY_ID" in result.stderr
    proxy.choose = lambda method, path: Fault("busy")
    result = call("data", "ls", "--store", address)
    assert "does not answer (503 SlowDown)" in result.stderr
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://user:{SECRET}@127.0.0.1:{port}")
    result = call("data", "ls", "--store", address)
    assert result.exit_code == 1
    assert f"127.0.0.1:{port} does not answer (no connection)" in result.stderr
    monkeypatch.setenv("AWS_ENDPOINT_URL", SECRET)
    assert "AWS_ENDPOINT_URL is not a valid address of a server" in call("data", "ls", "--store", address).stderr
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    monkeypatch.setenv("OPENBELL_CACHE_SIZE", "much")
    assert "OPENBELL_CACHE_SIZE='much' is not a size" in call("data", "ls", "--store", address).stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"s3://KEY:{SECRET}@bucket/x", "without user, password and parameters"),
        (f"s3://bucket/x?X-Amz-Signature={SECRET}", "without user, password and parameters"),
        ("ftp://bucket/x", "begins with s3://, gs://, az://"),
        ("s3:///x", "names no bucket"),
        ("s3://bucket/a/../b", "plain names"),
        ("s3://bucket/a//b", "plain names"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_secret(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as raised:
        place_of(text)
    assert SECRET not in str(raised.value)


def test_addresses_and_folders_are_told_apart() -> None:
    assert place_of("s3://bucket/a/b/") == StoreAddress("s3", "bucket", "a/b")
    assert str(place_of("gs://bucket")) == "gs://bucket"
    assert place_of("some/folder") == Path("some/folder")


def test_a_path_that_was_made_of_an_address_is_one() -> None:
    assert place_of(Path("s3://bucket/a")) == StoreAddress("s3", "bucket", "a")


def test_a_package_that_is_missing_is_named(address: StoreAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    result = call("data", "ls", "--store", f"{address}/elsewhere")
    assert (result.exit_code, "pip install 'openbell[s3]'" in result.stderr) == (2, True)


def test_a_manifest_that_names_files_elsewhere_is_refused(address: StoreAddress, tmp_path: Path) -> None:
    store = BarStore.open_or_create(address)
    store.write("SPY", "1m", bars(1))
    (key, entries), *_ = store.manifest.files.items()
    odd = Manifest({key: tuple(entry._replace(sha256="../../../x") for entry in entries)})
    notes = {"openbell_objects": "1", "openbell_commits": "[]", "openbell_swept": ""}
    object_backing(address).objects.put("manifest.parquet", odd.encode(of_objects=notes))
    result = call("data", "ls", "--store", address)
    assert (result.exit_code, "it names files that no store has" in result.stderr) == (1, True)
