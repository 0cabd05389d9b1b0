"""zipline-reloaded, as fast as it goes: the averages carried on in NumPy for all symbols at once, outside of zipline.

It has no streaming indicators; `zipline_history` has the way of its manual. Bars are ingested into a bundle first, not
timed (nor is openbell's import); no metrics are computed; 5m closes are read off each fifth minute.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import zipline
from benchmarks.peers.common import Crossings, clock, job, memory_mb, read_with_pyarrow, settle, tell
from zipline.data import bundles
from zipline.utils.calendar_utils import get_calendar

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Averages = Callable[[list[Any], Any, int], tuple[np.ndarray, np.ndarray]]

BUNDLE = "benchmark"
MINUTE_NS = 60_000_000_000


def ingested(work: dict[str, Any]) -> None:
    """Register the bundle; ingest it, history included, when it is not there yet."""
    root = Path(work["store"]).parent / "zipline"
    root.mkdir(exist_ok=True)
    os.environ["ZIPLINE_ROOT"] = str(root)
    first, last = pd.to_datetime([work["history_ns"], work["end_ns"] - 1]).normalize()

    def ingest(_environ: Any, assets: Any, minutes: Any, _daily: Any, adjustments: Any, *_: Any) -> None:
        bars = read_with_pyarrow({**work, "first_ns": 0}, ["open", "high", "low", "close", "volume"])
        about = {"symbol": work["symbols"], "asset_name": work["symbols"], "exchange": "NYSE"}
        assets.write(equities=pd.DataFrame({**about, "start_date": first, "end_date": last}))
        frames = [pd.DataFrame(columns).set_index("timestamp") for columns in bars.values()]
        minutes.write(
            (sid, frame.set_axis(pd.to_datetime(frame.index + MINUTE_NS, utc=True))) for sid, frame in enumerate(frames)
        )
        adjustments.write()

    bundles.register(BUNDLE, ingest, calendar_name="XNYS", start_session=first, end_session=last)
    if not (root / "ingested").exists():
        bundles.ingest(BUNDLE, show_progress=False)
        (root / "ingested").touch()


def carried() -> Averages:
    """Both averages of all assets, carried on from bar to bar."""
    state: list[np.ndarray] = []

    def averages(assets: list[Any], data: Any, _minutes: int) -> tuple[np.ndarray, np.ndarray]:
        closes = data.current(assets, "close").to_numpy()
        fast, slow = state or (closes, closes)
        state[:] = fast + (closes - fast) * (2 / 11), slow + (closes - slow) * (2 / 21)
        return state[0], state[1]

    return averages


def main(averages: Averages) -> None:
    """Ingest if need be, run, tell; what comes before the strategy's `initialize` is loading."""
    work = job()
    ingested(work)
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    crossings, symbols, minutes = Crossings(), work["symbols"], work["minutes"]

    def initialize(context: Any) -> None:
        context.assets_of_run = [zipline.api.symbol(symbol) for symbol in symbols]
        context.minute = 0
        context.load_s = clock() - started

    def handle_data(context: Any, data: Any) -> None:
        context.minute += 1
        if context.minute % minutes:
            return
        fast, slow = averages(context.assets_of_run, data, minutes)
        end_ns = data.current_dt.value
        for symbol, fast_value, slow_value in zip(symbols, fast.tolist(), slow.tolist(), strict=True):
            crossings.see(symbol, end_ns, fast_value, slow_value)
            crossings.final[symbol] = fast_value, slow_value

    def analyze(context: Any, _results: Any) -> None:
        facts = {"load_s": context.load_s, "run_s": clock() - started - context.load_s}
        tell(work, crossings, **facts, base_mb=base_mb, version=zipline.__version__)

    days = pd.to_datetime([work["first_ns"], work["end_ns"] - 1]).normalize()
    calendar = get_calendar("XNYS")
    zipline.run_algorithm(
        *days,
        initialize=initialize,
        handle_data=handle_data,
        analyze=analyze,
        capital_base=1_000_000,
        data_frequency="minute",
        bundle=BUNDLE,
        trading_calendar=calendar,
        metrics_set="none",
        benchmark_returns=pd.Series(0.0, index=calendar.sessions_in_range(*days)),
    )


if __name__ == "__main__":
    main(carried())
