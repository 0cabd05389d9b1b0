"""Runs that commands name by folder or by their name in ``runs``."""

from __future__ import annotations

from pathlib import Path

from openbell.errors import ConfigError

__all__ = ["DEFAULT_PLACE", "newest_run", "run_named", "run_places"]

DEFAULT_PLACE = Path("runs")


def run_places() -> list[Path]:
    """Return the folders named "runs" here and one folder below, as in the demo's."""
    return [place for place in (DEFAULT_PLACE, *sorted(Path().glob(f"*/{DEFAULT_PLACE}"))) if place.is_dir()]


def run_named(name: Path) -> Path:
    """Return the folder of a run by its path, or by its name in `run_places`."""
    return name if name.exists() else next((found for place in run_places() if (found := place / name).exists()), name)


def newest_run() -> Path:
    """Return the folder of the run that began last.

    Raises:
        ConfigError: There is no run in `run_places`.
    """
    from openbell.results.folder.stored_run import is_run

    found = [folder for place in run_places() for folder in place.iterdir() if folder.is_dir() and is_run(folder)]
    if not found:
        raise ConfigError("there is no run here. Name the folder of one, or run `openbell run CONFIG` first.")
    return max(found, key=_begun)


def _begun(folder: Path) -> float:
    config = folder / "config.json"
    return config.stat().st_mtime if config.is_file() else 0.0
