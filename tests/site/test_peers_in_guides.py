"""The guides for those who come from another library show code of that library which runs and does the same.

Their code runs where OPENBELL_PEERS names a Python that has backtrader and zipline-reloaded; elsewhere only its syntax
is looked at, because neither is a dependency.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openbell import open_run

PROJECT = Path(__file__).resolve().parents[2]
GUIDES = PROJECT / "docs" / "guides"
PEERS = os.environ.get("OPENBELL_PEERS")


@pytest.mark.parametrize("peer", ["backtrader", "zipline"])
def test_their_code_can_be_read(peer: str) -> None:
    text = (GUIDES / f"from-{peer}.md").read_text(encoding="utf-8")

    (code,) = re.findall(rf"^```python file=cross_{peer}\.py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    compile(code, f"cross_{peer}.py", "exec")
    assert f"import {peer}" in code or f"from {peer}" in code


@pytest.mark.long
@pytest.mark.skipif(PEERS is None, reason="OPENBELL_PEERS names no Python with backtrader and zipline-reloaded")
@pytest.mark.parametrize("peer", ["backtrader", "zipline"])
def test_both_trade_on_the_same_days(peer: str, demo_master: Path, tmp_path: Path) -> None:
    assert PEERS is not None
    shutil.copytree(demo_master, tmp_path / "openbell-demo")
    player = [sys.executable, str(PROJECT / "tests" / "test_docs.py"), str(GUIDES / f"from-{peer}.md")]
    subprocess.run(player, cwd=tmp_path, check=True, capture_output=True)
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    done = subprocess.run(
        [PEERS, f"cross_{peer}.py"], cwd=tmp_path, env=outside, capture_output=True, text=True, check=True
    )

    run = open_run(tmp_path / "runs" / "cross")
    assert run.fills is not None
    assert run.performance is not None
    *theirs, end = done.stdout.splitlines()
    fills = run.fills.select("date", "quantity", "price").iter_rows()
    ours = [f"{day} {quantity:.0f} {round(price, 2)}" for day, quantity, price in fills]
    shown = 3 if peer == "backtrader" else 2  # zipline fills at the next close
    assert [line.split()[:shown] for line in theirs] == [line.split()[:shown] for line in ours]
    assert len(ours) > 5
    if peer == "backtrader":
        assert float(end) == run.performance["end_equity"]
