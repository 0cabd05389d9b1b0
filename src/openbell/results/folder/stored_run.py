"""Runs read back from their folders, which may have been changed since."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING

from openbell.errors import ConfigError, shortened
from openbell.results.measures.performance import Performance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openbell.model.json_object import JsonObject

__all__ = ["StoredRun", "find_runs", "is_run", "read_run", "read_summary"]

_NUMBERS = tuple(field.name for field in fields(Performance) if field.name != "unavailable")
_INTERRUPTED = ("interrupted", "stopped by openbell stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as its folder shows it.

    Attributes:
        path: The folder.
        state: "done", "failed", "interrupted", "unfinished" (it runs, or was killed) or "damaged".
        problem: Why it is not done; empty when it is.
        session_name: From the config, or None.
        days: The sessions that are over.
        signals: Signals in these.
        store_label: The label of the store; None when it had none.
        performance: The numbers of `Performance` by name, or None when the run did not trade.
        unavailable: Why some of them are None, by name.
        config: The config as resolved; empty when it cannot be read.
        warnings: Warnings of the run.
        dropped: Symbols of the config that could not be provisioned in some session.
    """

    path: Path
    state: str
    problem: str = ""
    session_name: str | None = None
    days: tuple[date, ...] = ()
    signals: int = 0
    store_label: str | None = None
    performance: Mapping[str, float | None] | None = None
    unavailable: Mapping[str, str]
    config: JsonObject
    warnings: int = 0
    dropped: int = 0


class _DamagedError(Exception):
    """Error of a file that holds something else than what a run writes."""


def is_run(folder: Path) -> bool:
    """Return whether a run has written into a folder."""
    has = {name: (folder / name).is_file() for name in ("journal.jsonl", "config.json", "summary.json")}
    return has["journal.jsonl"] or (has["config.json"] and has["summary.json"])


def find_runs(folder: Path) -> tuple[list[StoredRun], int]:
    """Read all runs directly below a folder, or the folder itself when it is a run.

    Returns:
        The runs by name, and how many other entries there are.

    Raises:
        ConfigError: The folder is not there, or cannot be read.
    """
    try:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}. Name the folder that holds the runs.")
        if is_run(folder):
            return [read_run(folder)], 0
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise ConfigError(f"cannot read {folder}: {error.strerror or error}.") from error
    found = [read_run(entry) for entry in entries if _may_be_run(entry)]
    return found, len(entries) - len(found)


def _may_be_run(entry: Path) -> bool:
    """Return whether an entry is a run, or a folder that may not be read."""
    try:
        return entry.is_dir() and is_run(entry)
    except PermissionError:
        return True


def read_run(folder: Path) -> StoredRun:
    """Read the folder of a run, also a damaged or unfinished one.

    Raises:
        ConfigError: It is no folder of a run.
    """
    try:
        if not is_run(folder):
            raise ConfigError(f"{folder} is not the folder of a run: it has neither a journal.jsonl nor a summary.")
        config = _read_json(folder / "config.json")
        if not (folder / "summary.json").exists():
            why = "it has no summary.json: it is running, or was killed"
            return StoredRun(
                path=folder, state="unfinished", problem=why, session_name=_text(config, "session_name"),
                unavailable={}, config=config,
            )  # fmt: skip
        return _from_summary(folder, config, _read_json(folder / "summary.json"))
    except OSError as error:
        return _damaged(folder, f"it cannot be read: {error.strerror}")
    except _DamagedError as error:
        return _damaged(folder, str(error))


def read_summary(folder: Path) -> JsonObject:
    """Return the object in ``summary.json`` of a run, empty when it cannot be read any more."""
    try:
        return _read_json(folder / "summary.json")
    except (OSError, _DamagedError):
        return {}


def _damaged(folder: Path, problem: str) -> StoredRun:
    return StoredRun(path=folder, state="damaged", problem=problem, unavailable={}, config={})


def _from_summary(folder: Path, config: JsonObject, summary: JsonObject) -> StoredRun:
    error = _text(summary, "error")
    of_error = "interrupted" if (error or "").startswith(_INTERRUPTED) else "failed"
    days, performance = summary.get("days"), summary.get("performance")
    if not isinstance(days, list) or not all(isinstance(day, dict) for day in days):
        raise _DamagedError("summary.json has no list of days")
    if performance is not None and not isinstance(performance, dict):
        raise _DamagedError("performance in summary.json is not an object")
    return StoredRun(
        path=folder,
        state="done" if error is None else of_error,
        problem=error or "",
        session_name=_text(summary, "session_name"),
        days=tuple(_date(day) for day in days),
        signals=sum(len(signals) for day in days if isinstance(signals := day.get("signals"), list)),
        store_label=_text(summary, "store_label"),
        performance=None if performance is None else {name: _number(performance.get(name)) for name in _NUMBERS},
        unavailable=_reasons(performance or {}),
        config=config,
        warnings=len(found) if isinstance(found := summary.get("warnings"), list) else 0,
        dropped=len({name for day in days if isinstance(found := day.get("dropped"), dict) for name in found}),
    )


def _reasons(performance: JsonObject) -> dict[str, str]:
    reasons = performance.get("unavailable")
    return {str(k): str(v) for k, v in reasons.items()} if isinstance(reasons, dict) else {}


def _date(day: JsonObject) -> date:
    try:
        return date.fromisoformat(day["date"])
    except (KeyError, TypeError, ValueError):
        raise _DamagedError("a day in summary.json has no date") from None


def _text(value: JsonObject, name: str) -> str | None:
    text = value.get(name)
    return None if text is None else str(text)


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return value if is_number and math.isfinite(value) else None  # type: ignore[arg-type, return-value]
    except OverflowError:  # an integer beyond all floats
        return None


def _read_json(file: Path) -> JsonObject:
    """Read the object in a file that a run writes.

    Raises:
        _DamagedError: It is missing, or holds something else.
    """
    if not file.is_file():
        raise _DamagedError(f"{file.name} is {'no file' if file.exists() else 'missing'}")
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _DamagedError(f"{file.name} is not JSON: {shortened(str(error))}") from None
    if not isinstance(value, dict):
        raise _DamagedError(f"{file.name} does not hold an object")
    return value
