"""Findings about bars outside the session, in another time zone, or labelled by their wrong ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.aggregate import rows_in_segments
from openbell.model.interval import DAY_NS
from openbell.quality.calendar_fit import bars_on_closed_days
from openbell.quality.finding import SUSPICIOUS_SHARE, Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.quality.series import Series

__all__ = ["outside_hours", "wrong_labels", "wrong_time_zone"]

_HOUR_NS = 3_600_000_000_000
_SHIFTS = tuple(half * _HOUR_NS // 2 for half in sorted(range(-28, 29), key=abs) if half)
_FITTING = 0.95
_USUAL = 0.9
_SESSIONS_FOR_LABEL = 3


def outside_hours(series: Series) -> list[Finding]:
    """Return findings about bars outside the hours of sessions.

    Pre-market and post-market bars are a note, others are in doubt. Bars on days without a session are left to
    `closed_days`. Where the calendar has no extended hours, all bars outside regular hours are in doubt.
    """
    if not series.intraday:
        return []
    starts = series.distinct_starts()
    regular = rows_in_segments(starts, series.grid)[0]
    around = rows_in_segments(starts, series.around)[0] if series.around is not None else regular
    extended = around & ~regular
    found = _outside_all_hours(series, np.setdiff1d(starts[~around], bars_on_closed_days(series)[0]), len(starts))
    if extended.any():
        early = starts[extended]
        text = f"{100 * extended.mean():.0f} % of the bars are of the pre-market and post-market, which is usual"
        found.append(
            Finding("extended_hours", "note", int(early[0]), int(early[-1]) + series.interval.ns, len(early), text)
        )
    return found


def _outside_all_hours(series: Series, strange: NDArray[np.int64], total: int) -> list[Finding]:
    """Return a finding about the bars that start at ``strange``, of ``total`` bars, or none."""
    if not len(strange):
        return []
    text = f"{100 * len(strange) / total:.1f} % of the bars: bars outside all trading hours of the exchange"
    if len(strange) >= SUSPICIOUS_SHARE * total:
        text += "; wrong time zone?"
    end = int(strange[-1]) + series.interval.ns
    return [Finding("outside_hours", "doubt", int(strange[0]), end, len(strange), text, strange)]


def wrong_time_zone(series: Series) -> list[Finding]:
    """Return findings about times that seem to be of another time zone.

    Then a shift of all times would move the volume into regular hours.

    Bars are compared in groups by the UTC time of the open, because times in a fixed offset are right in winter and
    wrong in summer, or the other way round. Most volume of a market is traded in regular hours, so a wrong time zone is
    found even if all bars lie within extended hours.
    """
    if not series.intraday:
        return []
    starts = series.starts_of_stored()
    volume = np.nan_to_num(series.stored["volume"].to_numpy(), nan=0.0)
    near = np.minimum(np.searchsorted(series.grid.open_ns, starts), len(series.grid.open_ns) - 1)
    opened = series.grid.open_ns[near] % DAY_NS
    # Futures and markets around the clock have no quiet hours that could show a wrong time zone.
    if (series.grid.close_ns - series.grid.open_ns).max() > 12 * _HOUR_NS:
        return []
    found = []
    for offset in np.unique(opened):
        rows = opened == offset
        total = float(volume[rows].sum())
        if total <= 0:
            continue
        share = _regular_share(series, starts[rows], volume[rows], total)
        if share > _USUAL:
            continue
        shifted = [(_regular_share(series, starts[rows] + shift, volume[rows], total), shift) for shift in _SHIFTS]
        best, shift = max(shifted, key=lambda pair: pair[0])
        if best >= _FITTING:
            text = (
                f"wrong time zone? Only {100 * share:.0f} % of the volume lies in regular hours; with all times moved "
                f"by {shift / _HOUR_NS:+g} h it is {100 * best:.0f} %"
            )
            at = starts[rows]
            end = int(at.max()) + series.interval.ns
            found.append(Finding("wrong_time_zone", "serious", int(at.min()), end, len(at), text))
    return found


def _regular_share(series: Series, starts: NDArray[np.int64], volume: NDArray[np.float64], total: float) -> float:
    """Return the share of the total volume that bars with these starts have in regular hours."""
    return float(volume[rows_in_segments(starts, series.grid)[0]].sum()) / total


def wrong_labels(series: Series) -> list[Finding]:
    """Return a finding if the times of a series seem to be the other ends of bars than they are taken for.

    Ends that are taken for starts leave sessions without a bar at the open and with one at the close. Starts that are
    taken for ends leave them with one just before the open, none before that, and none at the end. Where sessions begin
    when others end, only those next to a pause count, such as a weekend.
    """
    if not series.intraday or not len(series.expected):
        return []
    sessions = series.sessions()
    grid, step = series.grid, series.interval.ns
    pauses = grid.open_ns[1:] != grid.close_ns[:-1]
    opens = grid.open_ns[sessions[np.append(True, pauses)[sessions]]]
    closes = grid.close_ns[sessions[np.append(pauses, True)[sessions]]]
    fewest = min(len(opens), len(closes))
    if fewest < _SESSIONS_FOR_LABEL:
        return []
    starts = series.distinct_starts()

    def has(times: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.isin(times, starts, assume_unique=True)

    begin, end = int(opens[0]), int(closes[-1])
    for sign, other, at in (
        ((~has(opens), has(closes)), "end", "no bar at the open and one at the close"),
        (
            (has(opens - step), ~has(opens - 2 * step), ~has(closes - step)),
            "start",
            "a bar just before the open, none before that, and none at the end",
        ),
    ):
        if min(marks.mean() for marks in sign) >= _FITTING:
            such = min(int(marks.sum()) for marks in sign)
            text = (
                f"{such} of {fewest} sessions have {at}: "
                f"do the times name the {other}s of bars? Import them again with --label {other}"
            )
            return [Finding("wrong_label", "serious", begin, end, len(starts), text)]
    return []
