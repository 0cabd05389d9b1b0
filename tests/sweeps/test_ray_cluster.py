"""A Ray cluster does what one process does, also when it loses a node."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

import openbell
from openbell.errors import ConfigError
from sweeps_parts import FAST, SLOW, make_folder

if TYPE_CHECKING:
    from pathlib import Path

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
    openbell.sweep(session, space, out=out, whole=True, executor="ray", address=cluster.address, observers=[Kills()])
finally:
    cluster.shutdown()
"""
"""Kills the second of two nodes when the first point is done."""

TIMED = ("point.json", "summary.json", "journal.jsonl")


def contents(folder: Path) -> dict[str, bytes]:
    found = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in sorted(found.items()) if file.name not in TIMED}


def test_points_of_a_lost_node_are_done_elsewhere_to_the_byte(demo_master: Path, tmp_path: Path) -> None:
    session = make_folder(demo_master, tmp_path / "session")
    notes = session.parent / "notes"
    notes.mkdir()
    (session.parent / "waits.py").write_text(WAITS)
    space = {"strategies.0.module": ["waits.py:Waits"], FAST: [3, 4, 5, 6], SLOW: [20]}

    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(session), str(tmp_path / "ray"), json.dumps(space)],
        capture_output=True, text=True, timeout=180, check=False, cwd=session.parent,
        env={**os.environ, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    local = openbell.sweep(session, space, out=tmp_path / "local", whole=True)

    table = openbell.sweep(session, space, out=tmp_path / "ray", whole=True)  # all is done, and only read
    assert table["state"].to_list() == ["done"] * 4
    assert table.drop("load_s", "run_s").equals(local.drop("load_s", "run_s"))
    assert contents(tmp_path / "ray/points") == contents(tmp_path / "local/points")
    lost = (notes / "lost").read_text()
    (twice,) = [note.name.partition("-")[2] for note in notes.glob(f"{lost}-*")]
    assert len(list(notes.glob(f"*-{twice}"))) == 2, "begun on the node that was lost, and again on the other"


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
