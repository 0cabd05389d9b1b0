"""Made-up stores, prepared sessions and probe components for tests and notebooks.

Importing this module loads neither polars nor calendars nor TA-Lib.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from openbell.components.requirement import Requirement
    from openbell.components.scanner import Scanner
    from openbell.components.strategy import Signal, Strategy
    from openbell.config import SessionConfig
    from openbell.engine.system import SystemManager
    from openbell.model.bars import Bar
    from openbell.model.feed_events import FeedHealth
    from openbell.model.fill import Fill
    from openbell.model.json_object import JsonObject
    from openbell.model.order import Order
    from openbell.session.cross_section import CrossSection
    from openbell.timing.calendars import SessionHours

    Signals = Signal | Iterable[Signal] | None

__all__ = ["advance", "bar_starts", "make_store", "prepare", "probe_scanner", "probe_strategy", "random_bars"]


def bar_starts(
    first: date | str,
    last: date | str,
    interval: str = "1m",
    *,
    exchange: str = "XNYS",
    session_hours: SessionHours = "regular",
) -> NDArray[np.int64]:
    """Return the start times of all bars that a calendar expects.

    Args:
        first: The first day, as a date or ISO text.
        last: The last day, inclusive.
        interval: An intraday interval or "1d".
        exchange: The name of a calendar.
        session_hours: Whether the pre-market and the post-market count.

    Returns:
        Nanoseconds since 1970 UTC, ascending; of daily bars, midnight UTC of their dates.

    Raises:
        ConfigError: A day is none.
        CalendarError: There is no session between the days.
        IntervalError: The interval is longer than a day.
    """
    import numpy as np

    from openbell.errors import CalendarError, IntervalError
    from openbell.model.day import asked_day
    from openbell.model.interval import DAY_NS, parse_interval
    from openbell.timing import TimeManager

    step = parse_interval(interval)
    grid = TimeManager(exchange, session_hours=session_hours).grid(asked_day(first), asked_day(last))
    if not len(grid.days):
        raise CalendarError(f"{exchange} has no session from {first} to {last}. Take days with a session.")
    if step == parse_interval("1d"):
        return grid.days * DAY_NS
    if not step.is_intraday:
        raise IntervalError(f"bar_starts takes intraday intervals and 1d, not {step}.")
    segments = zip(grid.segment_open_ns, grid.segment_close_ns, strict=True)
    return np.concatenate([np.arange(opened, closed, step.ns) for opened, closed in segments])


def random_bars(starts_ns: NDArray[np.int64], *, seed: int = 1) -> pl.DataFrame:
    """Make a random walk of bars from 100.0, one bar at each time.

    Each bar opens at the close of the one before.

    Args:
        starts_ns: Start times in nanoseconds since 1970 UTC.
        seed: The same seed and number of bars give the same prices.

    Returns:
        The columns of the store: timestamp (Datetime ns, UTC), open, high, low, close and volume (Float64).
    """
    import numpy as np
    import polars as pl

    rng, rows = np.random.default_rng(seed), len(starts_ns)
    moves = rng.normal(0, 0.05, rows)
    close = 100 + np.cumsum(moves)
    opens = close - moves
    spread = rng.uniform(0, 0.05, rows)
    return pl.DataFrame(
        {
            "timestamp": pl.Series(starts_ns).cast(pl.Datetime("ns", "UTC")),
            "open": opens,
            "high": np.maximum(opens, close) + spread,
            "low": np.minimum(opens, close) - spread,
            "close": close,
            "volume": rng.integers(1, 1000, rows).astype(np.float64),
        }
    )


def make_store(folder: Path | str, frames: Mapping[str, Mapping[str, pl.DataFrame]]) -> Path:
    """Write frames of bars to the store in a folder, which is made if it is not there.

    Args:
        folder: The folder of the store.
        frames: By symbol and interval, bars with the columns of the store; see `random_bars`.

    Returns:
        The folder.

    Raises:
        StoreError: The folder holds something else.
        DataError: Frames are not given by symbol and interval; or one is none of polars, or has other columns or bars
            that contradict themselves.
    """
    from openbell.errors import DataError
    from openbell.store.store import BarStore

    with BarStore.open_or_create(folder).writer() as writer:
        for symbol, by_interval in frames.items():
            if not isinstance(by_interval, Mapping):
                raise DataError(f"frames are given by symbol and interval. Write {{{symbol!r}: {{'1m': frame}}}}.")
            for interval, frame in by_interval.items():
                writer.write(symbol, interval, frame)
    return Path(folder)


def probe_strategy(
    *,
    subscriptions: Sequence[tuple[str, str]] | Callable[[Strategy], Iterable[tuple[str, str]]] | None = None,
    requirements: Callable[[Strategy], Iterable[Requirement]] | None = None,
    setup: Callable[[Strategy], object] | None = None,
    on_bar: Callable[[Strategy, Bar], Signals] | None = None,
    on_slice: Callable[[Strategy, CrossSection], Signals] | None = None,
    on_fill: Callable[[Strategy, Fill], object] | None = None,
    on_order: Callable[[Strategy, Order], object] | None = None,
    on_revision: Callable[[Strategy, Bar | None, Bar], object] | None = None,
    on_feed: Callable[[Strategy, FeedHealth, str], object] | None = None,
    on_symbol_added: Callable[[Strategy, str], object] | None = None,
    on_symbol_removed: Callable[[Strategy, str], object] | None = None,
    teardown: Callable[[Strategy], object] | None = None,
    **config: Any,
) -> JsonObject:
    """Make the config entry of a strategy whose methods are functions.

    Each function gets the strategy as its first argument. Methods of an object will do as well.

    Args:
        subscriptions: Pairs of symbol and interval, or a function that returns them.
        requirements: Called for ``Strategy.requirements``.
        setup: Called for ``Strategy.setup``.
        on_bar: Called for ``Strategy.on_bar``.
        on_slice: Called for ``Strategy.on_slice``.
        on_fill: Called for ``Strategy.on_fill``.
        on_order: Called for ``Strategy.on_order``.
        on_revision: Called for ``Strategy.on_revision``.
        on_feed: Called for ``Strategy.on_feed``.
        on_symbol_added: Called for ``Strategy.on_symbol_added``.
        on_symbol_removed: Called for ``Strategy.on_symbol_removed``.
        teardown: Called for ``Strategy.teardown``.
        config: Further keys of the strategy's ``config``.
    """
    pairs = subscriptions if callable(subscriptions) or subscriptions is None else lambda _: subscriptions
    methods: dict[str, Callable[..., object] | None] = {
        "subscriptions": pairs,
        "requirements": requirements,
        "setup": setup,
        "on_bar": on_bar,
        "on_slice": on_slice,
        "on_fill": on_fill,
        "on_order": on_order,
        "on_revision": on_revision,
        "on_feed": on_feed,
        "on_symbol_added": on_symbol_added,
        "on_symbol_removed": on_symbol_removed,
        "teardown": teardown,
    }
    name = "ProbeStrategy" if on_slice is None else "SliceProbeStrategy"
    return {"module": f"openbell.components.probes:{name}", "config": _given(methods) | config}


def probe_scanner(
    *at: str,
    requirements: Callable[[Scanner], Iterable[Requirement]] | None = None,
    setup: Callable[[Scanner], object] | None = None,
    scan: Callable[[Scanner], Iterable[str] | None] | None = None,
    teardown: Callable[[Scanner], object] | None = None,
    universe: str | Sequence[str] = (),
    pre_session: bool = False,
    **config: Any,
) -> JsonObject:
    """Make the config entry of a scanner whose methods are functions.

    Each function gets the scanner as its first argument.

    Args:
        at: Times of day at which it scans, such as "10:30"; without any it scans before the session.
        requirements: Called for ``Scanner.requirements``.
        setup: Called for ``Scanner.setup``.
        scan: Called for ``Scanner.scan``.
        teardown: Called for ``Scanner.teardown``.
        universe: The symbols to look through, or the file that lists them.
        pre_session: Whether it scans before the session as well.
        config: Further keys of the scanner's ``config``.
    """
    return {
        "module": "openbell.components.probes:ProbeScanner",
        "config": _given({"requirements": requirements, "setup": setup, "scan": scan, "teardown": teardown}) | config,
        "universe": universe,
        "schedule": [{"start": clock, "end": clock, "every": "1m"} for clock in at],
        "pre_session": pre_session or not at,
    }


def prepare(
    config: SessionConfig | Mapping[str, Any] | Path | str,
    *,
    store: Path | str | None = None,
    day: date | str | None = None,
) -> SystemManager:
    """Make a system and provision its session, with the clock at the start of trading.

    Symbols that cannot be provisioned are in ``coordinator.dropped``, with their errors.

    Args:
        config: What the session needs; as for `SystemManager`.
        store: The folder of the store; that of the config unless given.
        day: The session's day; the first day of the config unless given.

    Raises:
        ConfigError: The config is invalid, or names no store.
        ProvisioningError: None of the config's symbols could be provisioned.
    """
    from openbell.engine.system import SystemManager
    from openbell.model.day import asked_day

    system = SystemManager(config, store=store)
    system.coordinator.prepare_day(system.coordinator.days[0] if day is None else asked_day(day))
    return system


def advance(system: SystemManager, clock: str) -> None:
    """Move a prepared session's clock forward.

    Bars and indicators up to that time become visible.

    No scanner or strategy is called; `SystemManager.run` does that.

    Args:
        system: As `prepare` returned it.
        clock: A time of day at the exchange, such as "11:00" or "11:00:30". If the session begins on the evening
            before its date, this is the first such time in the session.

    Raises:
        CalendarError: The clock is past that time.
    """
    tm, then = system.time_manager, time.fromisoformat(clock)
    session = tm.session(system.session_data.session_date)
    days = (tm.to_local(session.first_ns).date(), tm.to_local(session.last_ns).date())
    times = [tm.local_ns(day, then) for day in days]
    system.coordinator.clock.advance_to(next((ns for ns in times if ns >= session.first_ns), times[0]))


def _given(functions: Mapping[str, Callable[..., object] | None]) -> JsonObject:
    from openbell.components.probes import METHODS, Methods

    return {METHODS: Methods((name, function) for name, function in functions.items() if function is not None)}
