"""Shortfalls of histories, as texts that name no symbol.

They follow from needs and times, so that those of many symbols are found once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import CalendarError
from openbell.provisioning.holes import days_by_name, empty_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.model.bars import BarTimes
    from openbell.provisioning.context import Market
    from openbell.provisioning.history import HistoryProof
    from openbell.provisioning.needs import IndicatorNeed, Needs

__all__ = ["lookback_shortfalls", "other_shortfalls"]

_SHORTEST_NS = 5 * 60_000_000_000
"""A first bar that begins so long after an open begins in mid-session."""


def lookback_shortfalls(market: Market, needs: Needs, histories: tuple[HistoryProof, ...]) -> tuple[str, ...]:
    """Describe the indicators for whose first value bars are missing."""
    return tuple(
        f"{indicator.key} needs {needed} of {indicator.interval}, has {found}: {_where_bars_begin(proof, market)}"
        for indicator, proof in _with_history(needs, histories)
        for needed, found in _missing_for_lookback(indicator, proof)
    )


def _with_history(needs: Needs, histories: tuple[HistoryProof, ...]) -> Iterator[tuple[IndicatorNeed, HistoryProof]]:
    """Iterate over the indicators of which the interval can be had, each with its history."""
    proofs = {proof.need.interval: proof for proof in histories}
    for indicator in needs.indicators:
        if indicator.interval in proofs:
            yield indicator, proofs[indicator.interval]


def _missing_for_lookback(indicator: IndicatorNeed, proof: HistoryProof) -> Iterator[tuple[str, int]]:
    """Iterate over what an indicator needs for its first value, and how much of it there is, if that is less."""
    if proof.visible_bars < indicator.valid_after:
        yield f"{indicator.valid_after} bars", proof.visible_bars
    elif proof.sessions < indicator.lookback_sessions:
        yield f"{indicator.lookback_sessions} earlier sessions", proof.sessions


def _where_bars_begin(proof: HistoryProof, market: Market) -> str:
    if proof.available_from is None:
        return f"the store has no {proof.need.base} bars before {market.day}"
    begins = f"the store's {proof.need.base} bars begin {proof.available_from}"
    listed = _listed_in_mid_session(proof, market)
    return f"{begins} at {listed}, in mid-session: was it listed then?" if listed else begins


def _listed_in_mid_session(proof: HistoryProof, market: Market) -> str:
    """Return the time at the exchange of the first stored bar, empty unless it is minutes after an open."""
    tm, first_ns = market.time_manager, proof.stored_from_ns
    if first_ns is None or not proof.need.base.is_intraday:
        return ""
    try:
        session = tm.session(tm.day_of(first_ns))
    except CalendarError:  # before the calendar
        return ""
    in_mid_session = session.first_ns + _SHORTEST_NS <= first_ns < session.last_ns
    return f"{tm.to_local(first_ns):%H:%M}" if in_mid_session else ""


def other_shortfalls(
    market: Market, needs: Needs, histories: tuple[HistoryProof, ...], times: tuple[BarTimes, ...]
) -> tuple[str, ...]:
    """Describe what is less than was asked for, lookbacks aside, in histories of bars of such times."""
    found = list(_unsettled(needs, histories))
    base = next((proof for proof in histories if str(proof.need.interval) == needs.base_interval), None)
    if base is not None and base.available_from is None:
        found.append(f"{base.need.base}: no bars before {market.day}")
    for proof, read in zip(histories, times, strict=True):
        found += _history_shortfalls(proof, read, market)
    return tuple(found)


def _unsettled(needs: Needs, histories: tuple[HistoryProof, ...]) -> Iterator[str]:
    for indicator, proof in _with_history(needs, histories):
        if indicator.settling is None:
            yield f"{indicator.key} is cumulative: it never settles, and counts from its first bar on"
        elif indicator.valid_after <= proof.visible_bars < indicator.settled_after:
            yield (
                f"{indicator.key} settles after {indicator.settled_after} bars of {indicator.interval} and has "
                f"{proof.visible_bars}: its starting point still shows"
            )


def _history_shortfalls(proof: HistoryProof, times: BarTimes, market: Market) -> Iterator[str]:
    name = proof.need.interval
    if (proof.need.bars or proof.need.lookback_sessions) and _is_of_sessions(proof):
        past = market.sessions_from(proof.first_session)
        if (empty := len(past) - proof.sessions) > 0:
            count = "1 session since then has" if empty == 1 else f"{empty} sessions since then have"
            days = days_by_name(empty_sessions(proof, times, market))
            yield f"{name}: the warm-up reaches back to {proof.first_session}, because {count} no bars: {days}"
    if proof.bars < proof.need.trailing_bars:
        where = _where_bars_begin(proof, market)
        yield f"{name}: {proof.need.trailing_bars} trailing bars were asked for, {proof.bars} are there ({where})"
    if proof.sessions < proof.need.trailing_sessions and (text := _trailing_shortfall(proof, market)):
        yield f"{name}: {text}"
    elif proof.stored_from_ns == proof.start_ns and _listed_in_mid_session(proof, market):
        yield f"{name}: {_where_bars_begin(proof, market)}"


def _trailing_shortfall(proof: HistoryProof, market: Market) -> str:
    """Describe the trailing sessions that are missing (empty when none is)."""
    # Bars of several sessions are not counted against sessions.
    asked, tm = proof.need.trailing_sessions, market.time_manager
    begun = proof.available_from is not None and tm.first_session_on_or_after(proof.available_from)
    late = not begun or tm.session_before(market.day, asked) < begun
    if _is_of_sessions(proof):
        text = f"{asked} trailing sessions were asked for, {proof.sessions} have bars"
        return f"{text} ({_where_bars_begin(proof, market)})" if late else text
    if late:
        return f"{asked} trailing sessions were asked for, but {_where_bars_begin(proof, market)}"
    if not proof.sessions:
        return f"no whole {proof.need.interval} bar lies in {asked} trailing sessions; ask for more, to have one"
    return ""


def _is_of_sessions(proof: HistoryProof) -> bool:
    """Return whether every session of the calendar should have a bar of its own."""
    interval = proof.need.interval
    return interval.is_intraday or str(interval) == "1d"
