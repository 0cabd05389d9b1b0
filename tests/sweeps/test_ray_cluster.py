"""A Ray cluster does what one process does, also when it loses a node."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

import openbell
from openbell.errors import ConfigError
from openbell.maintenance.copy import copy_store
from openbell.model.address import StoreAddress
from sweeps_parts import FAST, SLOW, make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from s3_server import S3Server

pytestmark = [
    pytest.mark.long,  # a cluster takes its time to start
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray has no wheel for this Python"),
]

WAITS = """
import sys
import time
from pathlib import Path
from crosses import Crosses

NOTES = Path(__file__).parent / "notes"

class Waits(Crosses):
    def setup(self):
        super().setup()
        ray = sys.modules.get("ray")
        if ray is None:  # in a sweep of one process
            return
        node, lost = ray.get_runtime_context().get_node_id(), (NOTES / "lost").read_text()
        (NOTES / f"{node}-{self.config['fast']}").touch()
        for _ in range(600):
            if node != lost and list(NOTES.glob(f"{lost}-*")):
                return
            time.sleep(0.1)
"""
"""A strategy that waits for ever on the node that will be lost, and elsewhere until a point is there."""

DRIVER = """
import json
import sys
from pathlib import Path
from ray.cluster_utils import Cluster
import openbell
from openbell.sweeps.sweep import SweepObserver

session, out, space = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
plain, bucket, plain_space = Path(sys.argv[4]), sys.argv[5], json.loads(sys.argv[6])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 10**8})

class Kills(SweepObserver):
    killed = False

    def finished(self, number, result):
        if not self.killed:
            self.killed = True
            cluster.remove_node(second, allow_graceful=False)

try:
    second = cluster.add_node(num_cpus=1, object_store_memory=10**8)
    cluster.wait_for_nodes()
    (session.parent / "notes" / "lost").write_text(second.node_id)
    on = {"whole": True, "executor": "ray", "address": cluster.address}
    openbell.sweep(session, space, out=out / "lost", observers=[Kills()], **on)
    openbell.sweep(plain, plain_space, out=out / "bucket", store=bucket, **on)
finally:
    cluster.shutdown()
"""
"""Kills the second of two nodes when the first point is done; on what is left, a sweep of a store in a bucket."""

PLAIN_SPACE = {FAST: [3, 5], SLOW: [20]}

TIMED = ("point.json", "summary.json", "journal.jsonl")


def contents(folder: Path) -> dict[str, bytes]:
    found = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in sorted(found.items()) if file.name not in TIMED}


@dataclass
class Swept:
    """Sweeps that a cluster has done, and what they were of."""

    session: Path
    space: dict[str, Any]
    notes: Path
    plain: Path
    bucket: str
    out: Path


@pytest.fixture(scope="module")
def swept(demo_master: Path, s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    """One cluster does all sweeps, for it takes long to start."""
    folder = tmp_path_factory.mktemp("cluster")
    session = make_folder(demo_master, folder / "session")
    notes = session.parent / "notes"
    notes.mkdir()
    (session.parent / "waits.py").write_text(WAITS)
    space = {"strategies.0.module": ["waits.py:Waits"], FAST: [3, 4, 5, 6], SLOW: [20]}
    plain, bucket, out = make_folder(demo_master, folder / "plain"), "s3://cluster/bars", folder / "ray"
    s3_server.make_bucket("cluster")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in s3_server.environment(folder / "cache").items():
            patched.setenv(name, value)
        copy_store(demo_master / "store", StoreAddress("s3", "cluster", "bars"))
        arguments = [session, out, json.dumps(space), plain, bucket, json.dumps(PLAIN_SPACE)]
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, *map(str, arguments)],
            capture_output=True, text=True, timeout=400, check=False, cwd=session.parent,
            env={**os.environ, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield Swept(session, space, notes, plain, bucket, out)


def test_points_of_a_lost_node_are_done_elsewhere_to_the_byte(swept: Swept, tmp_path: Path) -> None:
    local = openbell.sweep(swept.session, swept.space, out=tmp_path / "local", whole=True)

    out = swept.out / "lost"
    table = openbell.sweep(swept.session, swept.space, out=out, whole=True)  # all is done, and only read
    assert table["state"].to_list() == ["done"] * 4
    assert table.drop("load_s", "run_s").equals(local.drop("load_s", "run_s"))
    assert contents(out / "points") == contents(tmp_path / "local/points")
    lost = (swept.notes / "lost").read_text()
    (twice,) = [note.name.partition("-")[2] for note in swept.notes.glob(f"{lost}-*")]
    assert len(list(swept.notes.glob(f"*-{twice}"))) == 2, "begun on the node that was lost, and again on the other"


def test_a_store_in_a_bucket_is_swept_on_a_cluster_as_a_folder_in_one_process(swept: Swept, tmp_path: Path) -> None:
    local = openbell.sweep(swept.plain, PLAIN_SPACE, out=tmp_path / "local", whole=True)

    out = swept.out / "bucket"
    table = openbell.sweep(swept.plain, PLAIN_SPACE, out=out, whole=True, store=swept.bucket)
    assert table["state"].to_list() == ["done"] * 2
    # The numbers of runs, by which their folders are named, follow from the config and its store.
    others = ("load_s", "run_s", "run")
    assert table.drop(others).equals(local.drop(others))
    for there, here in zip(table["run"], local["run"], strict=True):
        found, expected = contents(out / "points" / there), contents(tmp_path / "local/points" / here)
        assert len(found) > 5
        assert {**found, "config.json": b""} == {**expected, "config.json": b""}


def test_a_cluster_that_does_not_answer_is_an_error_at_once(demo_master: Path, tmp_path: Path) -> None:
    session = make_folder(demo_master, tmp_path / "session")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens there
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"no Ray cluster can be used at {address}.*--address"):
            openbell.sweep(session, {FAST: [3]}, out=tmp_path / "out", executor="ray", address=address)


def test_an_address_is_that_of_a_cluster(demo_master: Path, tmp_path: Path) -> None:
    session = make_folder(demo_master, tmp_path / "session")
    with pytest.raises(ConfigError, match="--executor ray with it"):
        openbell.sweep(session, {FAST: [3]}, address="10.0.0.5:6379")
    with pytest.raises(ConfigError, match="by local, in processes of this machine, or by ray"):
        openbell.sweep(session, {FAST: [3]}, executor="dask")
