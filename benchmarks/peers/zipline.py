"""zipline-reloaded: bars ingested into a bundle first (not timed; nor is openbell's import), `handle_data` each minute.

It has no streaming indicators, and `data.history` with TA-Lib each minute would be slower by far: the averages are
carried on in NumPy for all symbols at once, and 5m closes are read off each fifth minute. No metrics are computed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.peers.common import Crossings, clock, job, memory_mb, read_with_pyarrow, settle, tell

BUNDLE = "benchmark"


def register_bundle(work: dict[str, Any], root: Path) -> None:
    """Tell zipline of the bundle; ingest it when it is not there yet."""
    from zipline.data import bundles

    days = pd.to_datetime([work["first_ns"], work["end_ns"] - 1]).normalize()

    def ingest(_environ, assets, minutes, _daily, adjustments, *_) -> None:
        bars = read_with_pyarrow(work, ["open", "high", "low", "close", "volume"])
        assets.write(
            equities=pd.DataFrame(
                {
                    "symbol": work["symbols"],
                    "asset_name": work["symbols"],
                    "start_date": days[0],
                    "end_date": days[1],
                    "exchange": "NYSE",
                }
            )
        )
        minutes.write(
            (
                sid,
                pd.DataFrame(
                    {name: values for name, values in bars[symbol].items() if name != "timestamp"},
                    index=pd.to_datetime(bars[symbol]["timestamp"] + 60_000_000_000, utc=True),
                ),
            )
            for sid, symbol in enumerate(work["symbols"])
        )
        adjustments.write()

    bundles.register(BUNDLE, ingest, calendar_name="XNYS", start_session=days[0], end_session=days[1])
    if not (root / "ingested").exists():
        bundles.ingest(BUNDLE, show_progress=False)
        (root / "ingested").touch()
    work["days"] = days


def averages(work: dict[str, Any], crossings: Crossings) -> tuple[Any, Any]:
    """`initialize` and `handle_data` of the strategy."""
    from zipline.api import symbol as asset_of

    minutes, state = work["minutes"], {}

    def initialize(_context: Any) -> None:
        state["assets"] = [asset_of(symbol) for symbol in work["symbols"]]
        state["minute"] = 0
        state["started"] = clock()

    def handle_data(_context: Any, data: Any) -> None:
        state["minute"] += 1
        if state["minute"] % minutes:
            return
        closes = data.current(state["assets"], "close").to_numpy()
        fast, slow = state.get("averages", (closes, closes))
        fast = fast + (closes - fast) * (2 / 11)
        slow = slow + (closes - slow) * (2 / 21)
        state["averages"] = fast, slow
        end_ns = pd.Timestamp(data.current_dt).value
        for symbol, fast_value, slow_value in zip(work["symbols"], fast.tolist(), slow.tolist(), strict=True):
            crossings.see(symbol, end_ns, fast_value, slow_value)

    return initialize, handle_data, state


def main() -> None:
    """Ingest if need be, run, tell; what comes before the strategy's `initialize` is loading."""
    work = job()
    root = Path(work["files"][work["symbols"][0]][0]).parents[4] / "zipline"
    os.environ["ZIPLINE_ROOT"] = str(root)
    root.mkdir(exist_ok=True)
    import zipline
    from zipline.utils.calendar_utils import get_calendar

    register_bundle(work, root)
    if "--ingest" in sys.argv:
        return
    settle()
    base_mb, started = memory_mb("VmRSS"), clock()
    crossings = Crossings()
    initialize, handle_data, state = averages(work, crossings)
    calendar = get_calendar("XNYS")
    zipline.run_algorithm(
        *work["days"],
        initialize=initialize,
        handle_data=handle_data,
        capital_base=1_000_000,
        data_frequency="minute",
        bundle=BUNDLE,
        trading_calendar=calendar,
        metrics_set="none",
        benchmark_returns=pd.Series(0.0, index=calendar.sessions_in_range(*work["days"])),
    )
    ended = clock()
    fast, slow = state["averages"]
    crossings.final = dict(zip(work["symbols"], zip(fast.tolist(), slow.tolist(), strict=True), strict=True))
    load_s, run_s = state["started"] - started, ended - state["started"]
    tell(work, crossings, load_s=load_s, run_s=run_s, base_mb=base_mb, version=zipline.__version__)


if __name__ == "__main__":
    main()
