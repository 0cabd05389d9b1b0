"""The guides for those who come from another library show code of that library which runs and does the same.

Ours always runs, and theirs of backtrader. zipline-reloaded needs other versions of what openbell is tested with: its
code runs where OPENBELL_PEERS names a Python that has both (`make test-peers` makes one); elsewhere it is only parsed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from openbell import open_run

if TYPE_CHECKING:
    from openbell import OpenedRun

PROJECT = Path(__file__).resolve().parents[2]
GUIDES = PROJECT / "docs" / "guides"
PEERS = os.environ.get("OPENBELL_PEERS")


@pytest.mark.parametrize("peer", ["backtrader", "zipline"])
def test_their_code_can_be_read(peer: str) -> None:
    text = (GUIDES / f"from-{peer}.md").read_text(encoding="utf-8")

    (code,) = re.findall(rf"^```python file=cross_{peer}\.py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    compile(code, f"cross_{peer}.py", "exec")
    assert f"import {peer}" in code or f"from {peer}" in code


class Played(NamedTuple):
    """A guide whose blocks have run, in a folder of its own."""

    peer: str
    folder: Path
    run: OpenedRun

    def fills(self, columns: int) -> list[list[str]]:
        assert self.run.fills is not None
        rows = self.run.fills.select("date", "quantity", "price").iter_rows()
        return [f"{day} {quantity:.0f} {round(price, 2)}".split()[:columns] for day, quantity, price in rows]


@pytest.fixture(scope="module", params=["backtrader", "zipline"])
def played(request: pytest.FixtureRequest, demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Each guide, played as a reader would."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(demo_master, folder / "openbell-demo")
    player = [sys.executable, str(PROJECT / "tests" / "test_docs.py"), str(GUIDES / f"from-{request.param}.md")]
    done = subprocess.run(player, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return Played(request.param, folder, open_run(folder / "runs" / "cross"))


@pytest.mark.long
def test_our_code_runs(played: Played) -> None:
    assert len(played.fills(3)) > 5


@pytest.mark.long
def test_theirs_trades_on_the_same_days(played: Played) -> None:
    python = PEERS or (sys.executable if find_spec(played.peer) else None)
    if python is None:
        pytest.skip(f"OPENBELL_PEERS names no Python with {played.peer}: make test-peers")
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    done = subprocess.run(
        [python, f"cross_{played.peer}.py"],
        cwd=played.folder, env=outside, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    *theirs, end = done.stdout.splitlines()
    columns = 3 if played.peer == "backtrader" else 2  # zipline fills at the next close
    assert [line.split()[:columns] for line in theirs] == played.fills(columns)
    if played.peer == "backtrader":
        assert played.run.performance is not None
        assert float(end) == played.run.performance["end_equity"]
