"""Runs that reports are made of."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from openbell import RunFolder, SystemManager, load_config
from openbell.testing import bar_starts, make_store, random_bars

TRADERS = Path(__file__).with_name("traders.py")
FIRST, LAST = "2024-03-11", "2024-03-14"
HOSTILE = ("</script><script>document.title='owned'</script>", "<img/src=x/onerror=alert(1)>", "../../x", "&amp;'\"")
"""Symbols that a page must show and not obey."""


def made_run(folder: Path, store: Path, symbols: list[str], *, keep: bool = False, **config: Any) -> Path:
    """Run a session on a store, and return the folder of the run."""
    whole = {
        "session_name": "made",
        "store": str(store),
        "backtest_config": {"start_date": FIRST, "end_date": LAST},
        "session_data_config": {"symbols": symbols, "streams": ["1m", "5m"]},
        "execution": {"fees": {"model": "per_share", "per_share": 0.01}, "slippage": {"model": "bps", "bps": 1}},
        "strategies": [{"module": f"{TRADERS}:Brackets"}],
        **config,
    }
    session = load_config(whole)
    run = RunFolder(folder, session, keep_bars=keep, keep_indicators=keep)
    SystemManager(session).run(run)
    return folder


@pytest.fixture(scope="session")
def plain_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a week of minutes of two symbols, one of which costs next to nothing."""
    starts = bar_starts("2024-03-08", LAST)
    cheap = random_bars(starts, seed=2)
    prices = {name: (cheap[name] / 5e6).round(9) for name in ("open", "high", "low", "close")}
    frames = {"ALFA": {"1m": random_bars(starts)}, "PENNY": {"1m": cheap.with_columns(**prices)}}
    return make_store(tmp_path_factory.mktemp("pages") / "store", frames)


@pytest.fixture(scope="session")
def kept_run(plain_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that trades, and that kept its bars and indicators; to be read only."""
    return made_run(tmp_path_factory.mktemp("kept") / "run", plain_store, ["ALFA", "PENNY", "NONE"], keep=True)


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose symbols, labels and reasons try to break out of the page; to be read only."""
    folder = tmp_path_factory.mktemp("hostile")
    bars = random_bars(bar_starts("2024-03-08", LAST))
    store = make_store(folder / "store", {symbol: {"1m": bars} for symbol in HOSTILE})

    return made_run(
        folder / "run", store, [*HOSTILE, "<i>missing</i>\u202e"], keep=True,
        strategies=[{"module": f"{TRADERS}:Hostile"}],
        execution={"signals": {"BUY": {"percent": 10}, "</option></select><script>": "close"}},
    )  # fmt: skip


@pytest.fixture(scope="session")
def without_measure(kept_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that kept volumes and values of indicators beyond all measure; to be read only."""
    folder = shutil.copytree(kept_run, tmp_path_factory.mktemp("measure") / "run")
    for name in ("bars", "indicators"):
        for path in (folder / name).rglob("ALFA_*.parquet"):
            frame = pl.read_parquet(path)
            columns = [c for c in frame.columns if c == "volume" or c.startswith("rsi")]
            frame.with_columns(pl.lit(1.0).truediv(pl.lit(0.0)).alias(c) for c in columns).write_parquet(path)
    return folder
