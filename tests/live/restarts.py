"""A live run that is killed at moments of a script and goes on by what is left of it."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

from live.test_sessions_over_a_socket import MINUTE, Stage
from openbell.live.record.feed_record import read_record
from openbell.live.record.recorded_past import Past
from openbell.live.record.verify import Verification, verify_run
from openbell.live.run import LiveRun
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from live.server import FeedServer

EVENTS = ("scans.jsonl", "signals.jsonl", "orders.jsonl", "fills.jsonl", "cash.jsonl", "state.jsonl", "journal.jsonl")


def cut(folder: Path, seed: int) -> None:
    """Take lines off the ends of files, as if the process had been killed within a batch, or within a line."""
    draw = random.Random(seed)
    for name in EVENTS:
        path = folder / name
        if path.is_file() and path.stat().st_size:
            content = path.read_bytes()
            last = content[:-1].rfind(b"\n") + 1
            path.write_bytes(content[: draw.choice([len(content), last, draw.randint(last, len(content))])])


class Restarts:
    """A day of a stage, in pieces.

    Args:
        stage: The day.
        kills: When the process dies, and for how many seconds nobody runs.
    """

    def __init__(self, stage: Stage, kills: Iterable[tuple[int, float]], *, seed: int = 0) -> None:
        self._stage = stage
        self._kills = list(kills)
        self._seed = seed
        self.folder = stage.folder / "run-0"

    def play(self, server: FeedServer) -> Verification:
        """Play the day to its end, and compare it with its backtest."""
        stage = self._stage
        server.play(stage.tape)
        past = None
        for number, (kill_ns, down_s) in enumerate(self._kills, 1):
            run = self._run(server, past)
            with stage.time.running(lambda run=run, past=past: run.run(self._folder(past))):
                stage.time.advance_to(kill_ns)
                left = shutil.copytree(self.folder, stage.folder / f"run-{number}", ignore=no_locks)
            stage.time.taken()
            cut(left, self._seed + number)
            self.folder = left
            past = Past.of(read_record(left))
            stage.time.advance(down_s)
        run = self._run(server, past)
        with stage.time.running(lambda: run.run(self._folder(past))) as running:
            stage.time.advance_to(stage.session.last_ns + 10 * MINUTE)
            running.result()
        return verify_run(self.folder)

    def _run(self, server: FeedServer, past: Past | None) -> LiveRun:
        stage = self._stage
        return LiveRun(stage.config, server.feed(), self.folder, [stage.day], stage.own_time_manager(), past=past)

    def _folder(self, past: Past | None) -> RunFolder:
        config = self._stage.config
        return RunFolder(self.folder, config, keep_bars=True, keep_indicators=True, goes_on=past is not None)


def no_locks(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith((".lock", ".tmp"))]
