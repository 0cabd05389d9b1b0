"""Live runs as other processes see them: their state, their lock, and how they are stopped."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openbell.config import load_config
from openbell.errors import RunFolderError
from openbell.live.start import replay_run
from openbell.results.folder.run_folder import RunFolder
from openbell.results.folder.stored_run import read_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.results.result import RunResult

COMMAND = [sys.executable, "-c", "from openbell.cli.app import main; main()"]

BUSY = """
import time

from openbell import Strategy

class Busy(Strategy):
    def subscriptions(self):
        return [("ALFA", "1m")]

    def on_bar(self, bar):
        time.sleep(60)
"""

COUNTER = """
from openbell import Signal, Strategy

class Counter(Strategy):
    def subscriptions(self):
        return [("ACME", "1s")]

    def on_bar(self, bar):
        seen = self.context.state["seen"] = self.context.state.get("seen", 0) + 1
        if seen % 2:
            self.context.order(bar.symbol, 1)
        return Signal(bar.symbol, "SEEN", f"{seen} {bar.timestamp}")
"""
DOCS = Path(__file__).parents[2] / "docs"

HISTORY = {"data": [{"trailing_days": 3, "intervals": ["1m"]}]}


class Watched(RunFolder):
    """A run folder that sees how its run says that it stands when the results are written."""

    state: object = None

    def finish(self, result: RunResult) -> None:
        self.state = state_of(self.path)["state"]
        super().finish(result)


@pytest.fixture
def demo(demo_master: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo_master, tmp_path / "demo")


def state_of(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "live.json").read_text(encoding="utf-8"))
    return found


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, check=False)


@contextmanager
def started(config: Path, run: Path, until: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A replay in a process of its own, from when its folder has a text in a file."""
    process = subprocess.Popen(
        [*COMMAND, "replay", str(config), "--out", str(run), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    name, _, text = until.partition(":")
    with process:
        try:
            while not ((run / name).is_file() and text in (run / name).read_text(encoding="utf-8")):
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


@pytest.mark.long
def test_a_replay_leaves_its_state(demo: Path, tmp_path: Path) -> None:
    config = load_config(demo / "session.yaml")
    day = config.backtest_config.end_date
    config = config.with_days(day, day)
    run = replay_run(config, None, tmp_path / "run")

    with pytest.raises(RunFolderError, match=r"run is the folder of a live run that is running .* openbell stop"):
        replay_run(config, None, tmp_path / "run")
    folder = Watched(tmp_path / "run", config)
    run.run(folder)

    assert folder.state == "ending", "while the results were written"
    state = state_of(tmp_path / "run")
    assert (state["state"], state["feed"], state["config"]) == ("ended", "replay", "config.json")
    assert state["session"] == config.session_name
    assert command("stop", tmp_path / "run").stderr == f"{tmp_path / 'run'} is over already\n"


@pytest.mark.long
def test_a_run_that_waits_for_its_next_bar_stops_at_once(demo: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with started(demo / "session.yaml", run, 'feed.jsonl:"session"', "--speed", "1") as process:
        assert state_of(run)["pid"] == process.pid

        second = command("replay", demo / "session.yaml", "--out", run)
        assert second.returncode == 1
        assert f"is running in process {process.pid}" in " ".join(second.stderr.split())

        stopped = command("stop", run)
        assert (stopped.returncode, stopped.stderr) == (0, f"{run} has stopped\n")
        _, said = process.communicate()
        assert process.returncode == 0, "it was asked to stop, and did"
    assert said.splitlines()[0] == f"run folder: {run}"
    assert state_of(run)["state"] == "stopped"
    error = json.loads((run / "summary.json").read_text(encoding="utf-8"))["error"]
    assert error.startswith("stopped by openbell stop in session ")
    assert error in said
    assert read_run(run).state == "interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is a signal elsewhere")
@pytest.mark.long
def test_a_run_that_is_interrupted_names_its_folder_first_and_exits_with_130(demo: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with started(demo / "session.yaml", run, 'feed.jsonl:"session"', "--speed", "1") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"run folder: {run}\n", "while it goes on"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert process.returncode == 130
    assert "interrupted in session" in said
    assert state_of(run)["state"] == "interrupted"


@pytest.mark.long
def test_a_live_run_that_is_killed_goes_on_in_its_folder(tmp_path: Path) -> None:
    """By the example server of the docs, at the wall clock."""
    (tmp_path / "counter.py").write_text(COUNTER, encoding="utf-8")
    run = tmp_path / "run"
    with example_server(tmp_path) as port:
        config = {
            "mode": "live",
            "exchange": "24/7",
            "live": {"provider": "websocket", "url": f"ws://localhost:{port}", "feed": "example"},
            "session_data_config": {"symbols": ["ACME"], "streams": ["1s"]},
            "strategies": [{"module": f"{tmp_path}/counter.py:Counter"}],
            "execution": {},
        }
        (tmp_path / "live.json").write_text(json.dumps(config), encoding="utf-8")
        for words in (["live", tmp_path / "live.json", "--out", run], ["live", "--resume", run]):
            with goes_on(run, *words) as process:
                process.kill()
        with goes_on(run, "live", "--resume", run) as process:
            stopped = command("stop", run)

    assert stopped.returncode == 0, stopped.stderr
    verified = command("verify", run)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    said = [json.loads(line)["reason"].split() for line in (run / "signals.jsonl").read_text().splitlines()]
    assert [int(number) for number, *_ in said] == list(range(1, len(said) + 1)), "each bar once, in order"


def lines(run: Path) -> int:
    """How many signals a run has written."""
    path = run / "signals.jsonl"
    return path.read_text(encoding="utf-8").count("\n") if path.is_file() else 0


@contextmanager
def example_server(folder: Path) -> Iterator[str]:
    """The server of the docs, and its port."""
    text = (DOCS / "live-feed-protocol.md").read_text(encoding="utf-8")
    (folder / "server.py").write_text(text.split("file=feed_server.py\n")[1].split("```")[0], encoding="utf-8")
    with subprocess.Popen([sys.executable, "server.py", "0"], cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split()[-1]
        finally:
            server.kill()


@contextmanager
def goes_on(run: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, from when it has written some signals more."""
    before = lines(run)
    with subprocess.Popen([*COMMAND, *map(str, words)], stderr=subprocess.PIPE, text=True) as process:
        try:
            while lines(run) < before + 3:
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            yield process
        except BaseException:
            process.kill()
            raise


@pytest.mark.long
def test_a_run_that_does_not_answer_or_was_killed_is_told_of(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(BUSY, encoding="utf-8")
    day = load_config(demo / "session.yaml").backtest_config.end_date.isoformat()
    config = {
        "store": str(demo / "store"),
        "backtest_config": {"start_date": day, "end_date": day},
        "session_data_config": {"symbols": ["ALFA"], "streams": ["1m"], "historical": HISTORY},
        "strategies": [{"module": f"{tmp_path}/busy.py:Busy"}],
    }
    (tmp_path / "busy.json").write_text(json.dumps(config), encoding="utf-8")
    run = tmp_path / "run"
    with started(tmp_path / "busy.json", run, 'feed.jsonl:"played_ns"') as process:
        deaf = command("stop", run)
        process.kill()
        process.communicate()
    killed = command("stop", run)

    assert (deaf.returncode, killed.returncode) == (1, 1)
    assert f"has not ended within 5 s: its process ({process.pid})" in " ".join(deaf.stderr.split())
    assert f"does not run: its process ({process.pid}) ended without a summary" in " ".join(killed.stderr.split())
