"""Runs of one config as a backtest and as a replay, and what differs between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.live.start import replay_run
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.live.run import LiveRun

EVENTS = ("scans.jsonl", "signals.jsonl", "orders.jsonl", "fills.jsonl", "cash.jsonl", "state.jsonl")


class Runs(NamedTuple):
    """The folders of a backtest and of the live run of the same bars."""

    backtest: Path
    live: Path

    def lines(self, name: str) -> list[str]:
        """Lines of a file of the backtest."""
        path = self.backtest / name
        return path.read_text().splitlines() if path.is_file() else []

    @property
    def differences(self) -> list[str]:
        """The first difference of each file."""
        return [*self._events(), *self._frames()]

    def _events(self) -> list[str]:
        found = []
        for name in EVENTS:
            ours, theirs = (
                path.read_text().splitlines() if path.is_file() else []
                for path in (self.live / name, self.backtest / name)
            )
            if ours != theirs:
                at = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), -1)
                rows = (ours[at], theirs[at]) if at >= 0 else (len(ours), len(theirs))
                found.append(f"{name} line {at + 1}:\n  live     {rows[0]}\n  backtest {rows[1]}")
        return found

    def _frames(self) -> list[str]:
        found = []
        for kind in ("bars", "indicators"):
            paths = {
                path.relative_to(folder) for folder in (self.live, self.backtest) for path in (folder / kind).rglob("*")
            }
            for path in sorted(path for path in paths if path.suffix == ".parquet"):
                if not ((self.live / path).is_file() and (self.backtest / path).is_file()):
                    found.append(f"{path} is {'not ' if not (self.live / path).is_file() else ''}in the live run")
                    continue
                ours, theirs = (pl.read_parquet(folder / path) for folder in (self.live, self.backtest))
                if not ours.equals(theirs, null_equal=True):
                    found.append(f"{path}: {_first(ours, theirs)}")
        return found


def _first(ours: pl.DataFrame, theirs: pl.DataFrame) -> str:
    if ours.shape != theirs.shape or ours.columns != theirs.columns:
        return f"{ours.shape} {ours.columns} in the live run, {theirs.shape} {theirs.columns} in the backtest"
    for column in ours.columns:
        differs = ours[column].ne_missing(theirs[column])
        if differs.any():
            row = int(differs.arg_max() or 0)
            return f"{column} in row {row}: {ours[column][row]} in the live run, {theirs[column][row]} in the backtest"
    return "types"


def both(
    config: dict[str, Any], store: Path, folder: Path, change: Callable[[LiveRun], object] = lambda run: None
) -> Runs:
    """Run a config as a backtest, and as a replay through the live path."""
    checked = load_config(config)
    runs = Runs(folder / "backtest", folder / "live")
    system = SystemManager(checked, store=store)
    system.run(RunFolder(runs.backtest, checked, keep_bars=True, keep_indicators=True))
    run = replay_run(checked, store, runs.live)
    change(run)
    run.run(RunFolder(runs.live, checked, keep_bars=True, keep_indicators=True))
    return runs
