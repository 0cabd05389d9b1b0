"""In the cell of a notebook, where colours are wanted and there is no terminal, nothing is animated."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_colours_are_written_and_no_progress_bars(demo_master: Path) -> None:
    command = [sys.executable, "-m", "openbell", "data", "check", "--store", str(demo_master / "store"), "ALFA"]

    done = subprocess.run(
        command,
        env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-color"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "\x1b[1m" in done.stdout
    assert "\x1b[?25l" not in done.stdout + done.stderr
    assert "checking series" not in done.stderr
