"""Bars that a config asks for and of which none closes within its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from openbell.components.configured import ConfiguredStrategy
    from openbell.config import SessionConfig
    from openbell.timing import TimeManager

__all__ = ["no_bar_closes", "streams_without_bars", "subscription_without_bars", "subscriptions_without_bars"]


def no_bar_closes(interval: str, time_manager: TimeManager, first: date, last: date) -> str:
    """Return that no bar of an interval closes in the sessions of a run, for people (empty when one does)."""
    step = parse_interval(interval)
    if step.is_intraday:
        return ""
    end_ns = int(time_manager.grid(first, last).expected_bars(step).end_ns[0])
    if end_ns <= time_manager.session(last).last_ns:
        return ""
    return (
        f"no {interval} bar closes from {first} to {last}; the running one closes on {time_manager.day_of(end_ns)}. "
        "Set a later end_date, or take it out."
    )


def streams_without_bars(config: SessionConfig, time_manager: TimeManager, days: Sequence[date]) -> Iterator[str]:
    """Iterate over warnings about streams without a bar that closes within the run."""
    for name in config.session_data_config.streams:
        if late := no_bar_closes(name, time_manager, days[0], days[-1]):
            yield f"session_data_config.streams names {name}, and {late}"


def subscription_without_bars(
    name: str, interval: str, pairs: Iterable[tuple[str, str]], time_manager: TimeManager, first: date, last: date
) -> str:
    """Return the warning about a strategy's subscription to an interval (empty when a bar closes)."""
    late = no_bar_closes(interval, time_manager, first, last)
    symbols = " and ".join(symbol for symbol, other in pairs if other == interval)
    return f"{name} subscribes to {interval} bars of {symbols}, and {late}" if late else ""


def subscriptions_without_bars(
    strategies: Iterable[ConfiguredStrategy], config: SessionConfig, time_manager: TimeManager, days: Sequence[date]
) -> Iterator[str]:
    """Iterate over warnings about subscriptions, as far as strategies can say them before there is a session."""
    # Needed by `check` and `plan` alone.
    from openbell.engine.requirements import subscribed_before_session

    for strategy in strategies:
        pairs = subscribed_before_session(strategy, config, time_manager)
        for interval in dict.fromkeys(interval for _, interval in pairs):
            if late := subscription_without_bars(strategy.name, interval, pairs, time_manager, days[0], days[-1]):
                yield late
