"""Histories of a live session that are short, because bars are missing in what the calendar says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openbell.errors import OpenbellError
from openbell.provisioning.history_search import find_histories, further_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from openbell.live.incoming.bar_supply import Supply
    from openbell.provisioning import ProvisioningContext
    from openbell.provisioning.needs import IntervalNeed, Needs

__all__ = ["further_days"]


def further_days(
    needed: Iterable[tuple[str, Needs]], supply: Supply, context: ProvisioningContext
) -> dict[str, dict[str, date]]:
    """Return from which days on earlier bars are to be asked for, by symbol and interval.

    They are counted as in a backtest. A series of which the feed has sent all that the calendar has is not looked at.

    Args:
        needed: Symbols of which everything that was asked for has come, and their needs.
        supply: The bars of the feed.
        context: The session, and the store that has what has come.
    """
    alike: dict[tuple[Needs, tuple[str, ...]], list[str]] = {}
    for symbol, needs in needed:
        if any(_counts(need) and supply.is_sparse(symbol, str(need.base)) for need in needs.intervals.values()):
            alike.setdefault((needs, context.base_intervals(symbol)), []).append(symbol)
    further: dict[str, dict[str, date]] = {}
    if alike:
        context.refresh()
    for (needs, bases), symbols in alike.items():
        for name, need in needs.intervals.items():
            if _counts(need) and str(need.base) in bases:
                for symbol, first in _short(symbols, name, needs, supply, context):
                    days = further.setdefault(symbol, {})
                    days[str(need.base)] = min(first, days.get(str(need.base), first))
    return further


def _counts(need: IntervalNeed) -> bool:
    """Return whether a need is of so many bars, or sessions with bars, and not of days."""
    return bool(need.bars or need.lookback_sessions)


def _short(
    symbols: Sequence[str], name: str, needs: Needs, supply: Supply, context: ProvisioningContext
) -> Iterable[tuple[str, date]]:
    """Yield the symbols of which an interval has too few bars, each with the day to ask from."""
    need, day = needs.intervals[name], context.stored_day(symbols[0])
    sees_filled = context.config.session_data_config.indicators_see_filled
    found = find_histories(symbols, name, needs, day, context.time_manager.now_ns, sees_filled=sees_filled)
    for symbol, history in zip(symbols, found, strict=True):
        if isinstance(history, OpenbellError) or not supply.is_sparse(symbol, str(need.base)):
            continue  # what cannot be read is told when it is proved
        bars, sessions = need.bars - history[0].bars, need.lookback_sessions - history[0].sessions
        if bars > 0 or sessions > 0:
            back = partial(further_back, need, short_bars=bars, short_sessions=sessions, market=day.market)
            yield symbol, supply.day_before(symbol, str(need.base), back)
