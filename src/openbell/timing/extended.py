"""Pre-market and post-market of the exchanges for which they are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import ConfigError
from openbell.timing.schedule import wall_clock_ns

if TYPE_CHECKING:
    from openbell.timing.schedule import Schedule, Segments

__all__ = ["extended_segments"]


@dataclass(frozen=True, slots=True)
class _ExtendedHours:
    """Local times between which an exchange trades around its regular session."""

    pre_open: time
    post_close: time
    regular_close: time
    post_close_on_early_days: time


# By the name without aliases: XNYS stands for XNAS, ARCX, BATS and the other US equity exchanges as well.
# Nasdaq and NYSE Arca trade 04:00 to 20:00 New York, and until 17:00 on days that close early.
_EXTENDED_HOURS = {"XNYS": _ExtendedHours(time(4), time(20), regular_close=time(16), post_close_on_early_days=time(17))}


def extended_segments(schedule: Schedule, exchange: str) -> list[Segments]:
    """Return the pre-market and post-market segments of a schedule.

    Args:
        schedule: The regular sessions.
        exchange: The exchange's name, for messages.

    Raises:
        ConfigError: No extended hours are known for the exchange.
    """
    hours = _EXTENDED_HOURS.get(schedule.name)
    if hours is None:
        raise ConfigError(
            f"session_hours is 'extended', but no extended hours are known for the exchange {exchange}. "
            f"They are known for {', '.join(_EXTENDED_HOURS)}. Use session_hours: regular."
        )
    days, zone = schedule.days, schedule.timezone
    session = np.arange(len(days), dtype=np.int64)
    pre_open = wall_clock_ns(days, hours.pre_open, zone)
    closes_early = schedule.close_ns < wall_clock_ns(days, hours.regular_close, zone)
    post_close = wall_clock_ns(days, hours.post_close, zone)
    post_close[closes_early] = wall_clock_ns(days[closes_early], hours.post_close_on_early_days, zone)
    before, after = pre_open < schedule.open_ns, post_close > schedule.close_ns
    return [
        (pre_open[before], schedule.open_ns[before], session[before], False),
        (schedule.close_ns[after], post_close[after], session[after], False),
    ]
