"""The command `openbell view`, as its own process."""

from __future__ import annotations

import subprocess
import sys
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("signal", [SIGINT, SIGTERM])
def test_it_prints_its_address_serves_and_ends_on_a_signal(tmp_path: Path, signal: int) -> None:
    command = [sys.executable, "-m", "openbell", "view", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        address = running.stdout.readline().strip()
        with urlopen(address) as answer:
            page = answer.read().decode()
        running.send_signal(signal)
        told = running.stderr.read()

    assert address.startswith("http://127.0.0.1:")
    assert "There is no run here yet" in page
    assert "Traceback" not in told
    assert running.returncode in (0, -signal, 128 + signal)


def test_what_it_cannot_serve_is_said(tmp_path: Path) -> None:
    nowhere = CliRunner().invoke(app, ["view", str(tmp_path / "nowhere")])
    no_address = CliRunner().invoke(app, ["view", str(tmp_path), "--host", "203.0.113.7", "--port", "0"])

    assert nowhere.exit_code == no_address.exit_code == 2
    assert "there is no folder" in nowhere.stderr
    assert "cannot listen on 203.0.113.7" in no_address.stderr
