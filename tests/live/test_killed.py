"""A replay that is killed, stopped or interrupted leaves a folder that can be verified."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from openbell.live.record.verify import verify_run

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_S = 240


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_is_ended_from_outside_tells_all_up_to_then(
    number: signal.Signals, demo_master: Path, tmp_path: Path
) -> None:
    demo = shutil.copytree(demo_master, tmp_path / "demo")
    run = tmp_path / "run"
    command = [sys.executable, "-m", "openbell", "replay", str(demo / "session.yaml"), "--speed", "600"]
    process = subprocess.Popen([*command, "--out", str(run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while _played(run) < 90:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline, "the replay does not go on"
            time.sleep(0.1)
        process.send_signal(number)
        _, said = process.communicate(timeout=_PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode != 0
    assert "Traceback" not in said
    found = verify_run(run)
    assert found.compared[0] > 0
    assert found.bars > 100
    assert found.is_equal, found.differences


def _played(run: Path) -> int:
    """How many times have been played."""
    path = run / "feed.jsonl"
    return path.read_text().count('"played_ns"') if path.is_file() else 0
