"""Processes side by side give what one gives; those that die are replaced, and none outlives its sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import openbell
from openbell.errors import RunFolderError
from sweeps_parts import FAST, SLOW, make_folder

pytestmark = pytest.mark.long  # each process imports all of openbell

GRID = {FAST: [3, 4, 5], SLOW: [10, 20]}

DEADLY = """
import os
import signal
from pathlib import Path
from openbell import Strategy

class Deadly(Strategy):
    def setup(self):
        at = self.config["fast"]
        deaths = Path(self.config["notes"]) / f"{at}"
        with deaths.open("a") as file:
            file.write(f"{os.getpid()}\\n")
        if at == 4 and len(deaths.read_text().split()) <= self.config["times"]:
            os.kill(os.getpid(), signal.SIGKILL)
"""
"""A strategy that kills its process so many times, where ``fast`` is 4."""

SLOW_ONE = """
import os
import time
from pathlib import Path
from openbell import Strategy

class Slow(Strategy):
    def setup(self):
        (Path(self.config["notes"]) / str(os.getpid())).touch()
        if self.config["fast"] > 3:
            time.sleep(60)
"""
"""A strategy that takes a minute, but where ``fast`` is 3."""

STOPPED = """
import sys
from openbell.cli.app import main

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def session(demo_master: Path, tmp_path: Path) -> Path:
    file = make_folder(demo_master, tmp_path / "session")
    (tmp_path / "notes").mkdir()
    (file.parent / "deadly.py").write_text(DEADLY)
    (file.parent / "slow.py").write_text(SLOW_ONE)
    (file.parent / "main.py").write_text(STOPPED)
    return file


def but_for_timing(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("load_s", "run_s")


def test_two_processes_give_what_one_gives(session: Path, tmp_path: Path) -> None:
    one = openbell.sweep(session, GRID, out=tmp_path / "one", whole=True)
    two = openbell.sweep(session, GRID, out=tmp_path / "two", whole=True, jobs=2)

    assert but_for_timing(two).equals(but_for_timing(one))
    assert not (tmp_path / "two/.bars").exists()
    for file in ("config.json", "signals.parquet", "orders.jsonl", "fills.jsonl", "equity.parquet"):
        for run in one["run"]:
            assert (tmp_path / "one/points" / run / file).read_bytes() == (
                tmp_path / "two/points" / run / file
            ).read_bytes()


@pytest.mark.parametrize(("times", "state"), [(2, "done"), (9, "failed")])
def test_a_killed_workers_point_is_done_elsewhere_unless_it_is_the_cause(
    session: Path, tmp_path: Path, times: int, state: str
) -> None:
    space: dict[str, Any] = {
        "strategies.0.module": ["deadly.py:Deadly"],
        FAST: [3, 4, 5],
        "strategies.0.config.notes": [str(tmp_path / "notes")],
        "strategies.0.config.times": [times],
    }
    frame = openbell.sweep(session, space, out=tmp_path / "out", jobs=2)

    assert frame["state"].to_list() == ["done", state, "done"]
    tried = [len(set((tmp_path / "notes" / str(at)).read_text().split())) for at in (3, 4, 5)]
    assert tried[1] == 3, "a new process each time"
    if state == "failed":
        assert "ended 3 times, at last by signal 9 (SIGKILL)" in frame["error"][1]
        (tmp_path / "notes" / "4").write_text("1 " * 9)
        again = openbell.sweep(session, space, out=tmp_path / "out", jobs=1)
        assert again["state"].to_list() == ["done", "done", "done"], "what was given up is tried again"


def test_a_folder_that_cannot_be_written_ends_the_sweep(session: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    openbell.sweep(session, {FAST: [3]}, out=out)
    (out / "points").rename(tmp_path / "moved")
    (out / "points").symlink_to("/proc")  # where nobody can make a folder

    with pytest.raises(RunFolderError, match="cannot write"):
        openbell.sweep(session, {FAST: [4, 5, 6]}, out=out, jobs=2)


def alive(notes: Path) -> list[int]:
    return [int(p.name) for p in notes.iterdir() if is_running(int(p.name))]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_stopped_sweep_leaves_no_process_and_what_is_done(session: Path, tmp_path: Path, how: str) -> None:
    notes, out = tmp_path / "notes", tmp_path / "out"
    options = {
        "strategies.0.module": "slow.py:Slow",
        FAST: "3,4,5,6",
        "strategies.0.config.notes": str(notes),
    }
    sets = [word for key, value in options.items() for word in ("--set", f"{key}={value}")]
    command = [sys.executable, str(session.parent / "main.py"), "sweep", str(session), *sets, "--out", str(out)]
    with subprocess.Popen([*command, "--jobs", "2"], stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as going:
        for _ in range(1200):
            if len(list(out.glob("points/*/point.json"))) == 1 and len(list(notes.iterdir())) == 2:
                break
            time.sleep(0.1)
        time.sleep(0.5)
        going.send_signal(getattr(signal, how))
        said = going.communicate(timeout=30)[1]

    expected = {"SIGINT": 130, "SIGTERM": 143, "SIGKILL": -9}[how]
    assert going.returncode == expected, said
    for _ in range(100):
        if not alive(notes):
            break
        time.sleep(0.1)
    assert alive(notes) == []
    assert len(list(out.glob("points/*/point.json"))) == 1
    if how != "SIGKILL":
        assert "interrupted: 1 of 4 points are done and stay" in said
        assert len(pl.read_parquet(out / "points.parquet")) == 1


def running_in(group: int) -> list[int]:
    """The processes of a group that run."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):  # it has ended
            if folder.name.isdigit():
                state, _, of_group = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:3]
                if state != "Z" and int(of_group) == group:
                    found.append(int(folder.name))
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_ctrl_c_at_any_moment_of_the_start_ends_all_processes_without_a_word_from_them(
    session: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "openbell", "sweep", str(session), "--set", f"{FAST}=3:8:1", "--jobs", "2"]
    for after_s in (0.0, 0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5):
        with subprocess.Popen(
            [*command, "--out", str(tmp_path / f"{after_s}")], stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as going:
            while len(running_in(going.pid)) == 1:
                time.sleep(0.002)
            time.sleep(after_s)
            os.killpg(going.pid, signal.SIGINT)  # as a terminal does
            said = going.communicate(timeout=30)[1]
        assert "Traceback" not in said
        assert "Fatal" not in said
        for _ in range(100):
            if not running_in(going.pid):
                break
            time.sleep(0.05)
        assert running_in(going.pid) == []
