"""Findings about missing bars, in whole sessions, holes, trading halts, and times in which nobody traded."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.completeness import longest_by_chance
from openbell.quality.finding import Finding
from openbell.quality.series import true_range
from openbell.quality.stale import runs_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.quality.peers import Peers
    from openbell.quality.series import Series

__all__ = ["Elsewhere", "missing_bars", "missing_sessions", "untraded"]

_MINUTE_NS = 60_000_000_000
_SHORTEST_HALT_NS = 5 * _MINUTE_NS
_BURST = 3.0
_JUMP = 4.0
_NEARBY = 20
_LONG_ABSENCE = 20
_FEW = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """The same symbol's bars of another stored interval.

    Attributes:
        interval: The other interval.
        starts: Starts of the bars, ascending int64 nanoseconds since 1970 UTC.
        ends: Ends of the bars, in the same form.
    """

    interval: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def within(self, start_ns: NDArray[np.int64], end_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask of the ranges of time that contain a whole bar."""
        return np.searchsorted(self.ends, end_ns, side="right") > np.searchsorted(self.starts, start_ns)


def missing_sessions(series: Series, peers: Peers, elsewhere: tuple[Elsewhere, ...] = ()) -> list[Finding]:
    """Return findings about runs of expected sessions without a bar."""
    if not len(series.expected):
        return []
    first = int(series.expected.session[0])
    held = np.zeros(int(series.expected.session[-1]) - first + 1, np.bool_)
    held[series.sessions() - first] = True
    active = peers.others_active(series)
    bars = np.bincount(series.expected.session - first, minlength=len(held))
    found = []
    for begin, after in runs_of(~held):
        start, end = int(series.grid.open_ns[first + begin]), int(series.grid.close_ns[first + after - 1])
        others = int(active[first + begin : first + after].max())
        seen = _seen_by(elsewhere, np.array([start]), np.array([end]))[0]
        text = _absence(after - begin, seen, others, len(peers.members) - (series.symbol in peers.members))
        found.append(Finding("missing_sessions", "doubt", start, end, int(bars[begin:after].sum()), text))
    return found


def _absence(sessions: int, seen: str, others: int, peers: int) -> str:
    """Return the text about a run of sessions without a bar.

    ``seen`` is another interval with bars there, or empty; ``others`` of ``peers`` other symbols have bars there.
    """
    what = f"{sessions:,} sessions without a bar" if sessions > 1 else "a session without a bar"
    if seen:
        return f"{what}, and the {seen} bars have trades there: a hole, certainly"
    if others and sessions >= _LONG_ABSENCE:
        return f"{what} while other symbols traded: was it listed elsewhere, or under another symbol?"
    if others:
        return f"{what} while other symbols traded: a hole, likely"
    if peers >= 2:
        return f"{what}, and none of {peers} other symbols has one: is the calendar wrong, or the data?"
    return what


def missing_bars(series: Series, peers: Peers, elsewhere: tuple[Elsewhere, ...] = ()) -> list[Finding]:
    """Return findings about runs of missing bars within sessions that have other bars.

    The first explanation that holds is taken:
        hole, certain: another stored interval of the symbol has bars there.
        nobody traded: missing bars are usual in the session (5 % or more of its bars are followed by a missing one),
            and the run is no longer than three times what chance explains (``N * p**n >= 0.01`` with ``p`` that share
            and ``N`` the expected bars); one note is about all such runs.
        listing, likely: 5 minutes or more before the first stored bar of the symbol, of any interval.
        halt, likely: 5 minutes or more; two or more other symbols have bars in the session and next to none in the run,
            and trading resumes with a price jump or a burst of volume; or only this symbol pauses, and resumes with
            both. A jump is 4 usual true ranges, a burst 3 usual volumes, usual being the median of the 20 bars before.
        hole, likely: all others; the text says whether other symbols traded and whether the price jumped.
    """
    if not series.intraday or series.present.all():
        return []
    others, active = peers.others_at(series), peers.others_active(series)
    first, last = _runs_within_sessions(series)
    start, end, day = series.expected.start_ns[first], series.expected.end_ns[last], series.expected.session[first]
    missing = last - first + 1
    seen = _seen_by(elsewhere, start, end)
    quiet = _is_quiet(series, first, last, seen)
    moved = true_range(series.bars)
    found: list[Finding] = []
    for i in np.flatnonzero(~quiet):
        if i == 0 and not seen[0] and _is_before_listing(series, int(start[0]), int(end[0])):
            text = (
                f"the bars begin {missing[0]:,} bars after the open: listed then, or is what was before not imported?"
            )
            found.append(Finding("listing", "note", int(start[0]), int(end[0]), int(missing[0]), text))
            continue
        others_in_it = int(others[first[i] : last[i] + 1].sum())
        gap = _Gap(int(start[i]), int(end[i]), int(missing[i]), others_in_it, int(active[day[i]]), str(seen[i]))
        found.append(_judge(gap, _Resumption.of(series, moved, gap.start_ns, gap.end_ns)))
    if quiet.any():
        total, begin, until = int(missing[quiet].sum()), int(start[quiet][0]), int(end[quiet][-1])
        text = f"{total:,} bars missing in {int(quiet.sum()):,} short stretches, as chance explains them: nobody traded"
        found.append(Finding("no_trades", "note", begin, until, total, text))
    return found


def _is_before_listing(series: Series, start_ns: int, end_ns: int) -> bool:
    """Return whether a run of missing bars lies before all bars of a symbol.

    Only runs of 5 minutes or more count.
    """
    before_all = series.begins and end_ns <= int(series.starts_of_stored().min())
    return before_all and end_ns - start_ns >= _SHORTEST_HALT_NS


def untraded(series: Series, elsewhere: tuple[Elsewhere, ...] = ()) -> NDArray[np.bool_]:
    """Return a mask of the expected bars that are missing because nobody traded."""
    mask = np.zeros(len(series.present) + 1, np.int64)
    if series.intraday and not series.present.all():
        first, last = _runs_within_sessions(series)
        seen = _seen_by(elsewhere, series.expected.start_ns[first], series.expected.end_ns[last])
        quiet = _is_quiet(series, first, last, seen)
        mask[first[quiet]] += 1
        mask[last[quiet] + 1] -= 1
    return np.asarray(np.cumsum(mask[:-1]) > 0, np.bool_)


def _is_quiet(
    series: Series, first: NDArray[np.intp], last: NDArray[np.intp], seen: NDArray[np.str_]
) -> NDArray[np.bool_]:
    """Return a mask of the runs of missing bars that chance explains.

    Runs in which another interval has bars do not count.
    """
    day = series.expected.session[first]
    count = len(series.grid)
    bound = longest_by_chance(
        np.bincount(day, minlength=count),
        np.bincount(series.expected.session[series.present], minlength=count),
        np.bincount(series.expected.session, minlength=count),
    )
    explained = last - first + 1 <= bound[day]
    return np.asarray((seen == "") & explained, np.bool_)


@dataclass(frozen=True, slots=True)
class _Gap:
    """A run of missing bars.

    Attributes:
        start_ns: Start of the first missing bar, nanoseconds since 1970 UTC.
        end_ns: End of the last missing bar.
        missing: Number of missing bars.
        others_in_it: Number of bars that other symbols have in the run.
        others_active: Number of other symbols with bars in the session.
        seen: Another interval of the symbol with bars in the run, or empty.
    """

    start_ns: int
    end_ns: int
    missing: int
    others_in_it: int
    others_active: int
    seen: str


@dataclass(frozen=True, slots=True)
class _Resumption:
    """The first bar after a gap.

    Attributes:
        jump: The price change over the gap, as a multiple of the usual true range.
        burst: The volume of the bar, as a multiple of the usual volume.
    """

    jump: float
    burst: float

    @staticmethod
    def of(series: Series, moved: NDArray[np.float64], start_ns: int, end_ns: int) -> _Resumption:
        bars = series.bars
        after = int(np.searchsorted(bars.timestamp, end_ns))
        before = int(np.searchsorted(bars.timestamp, start_ns)) - 1
        if before < 1 or after >= len(bars):
            return _Resumption(0.0, 0.0)
        nearby = slice(max(0, before - _NEARBY), before)
        usual, volume = float(np.median(moved[nearby])), float(np.median(bars.volume[nearby]))
        jump = abs(log(bars.open[after] / bars.close[before])) if bars.open[after] > 0 < bars.close[before] else 0.0
        return _Resumption(jump / usual if usual else 0.0, float(bars.volume[after]) / volume if volume else 0.0)


def _judge(gap: _Gap, resumed: _Resumption) -> Finding:
    jumped, burst = resumed.jump >= _JUMP, resumed.burst >= _BURST
    long = gap.end_ns - gap.start_ns >= _SHORTEST_HALT_NS
    # A few bars of other symbols in the gap, perhaps stray or with wrong times, do not count against a pause of all.
    everybody = gap.others_active >= 2 and gap.others_in_it <= _FEW * gap.missing * gap.others_active
    bars = f"{gap.missing:,} bars missing" if gap.missing > 1 else "1 bar missing"
    manner = " and ".join(
        part
        for part in (
            f"a price jump ({resumed.jump:.0f} usual ranges)" if jumped else "",
            f"a burst of volume ({resumed.burst:.0f} times the usual)" if burst else "",
        )
        if part
    )
    if gap.seen:
        return _hole(gap, f"{bars}, and the {gap.seen} bars have trades there: a hole, certainly")
    if long and everybody and (jumped or burst):
        text = f"{bars}, {_who(gap)} stand still too, then {manner}: a market halt, likely"
        return Finding("halt", "note", gap.start_ns, gap.end_ns, gap.missing, text)
    if long and not everybody and jumped and burst:
        return Finding("halt", "note", gap.start_ns, gap.end_ns, gap.missing, f"{bars}, then {manner}: a halt, likely")
    if everybody and long:
        return _hole(gap, f"{bars} here, and {_who(gap)} stand still too and continue quietly: the source failed?")
    rest = f", then {manner}" if manner else ", no price jump"
    if gap.others_in_it:
        return _hole(gap, f"{bars} while other symbols traded{rest}: a hole, likely")
    return _hole(gap, f"{bars}{rest}: a hole, or nobody traded")


def _who(gap: _Gap) -> str:
    return f"{'most of the' if gap.others_in_it else 'all'} {gap.others_active} other symbols"


def _hole(gap: _Gap, text: str) -> Finding:
    return Finding("hole", "doubt", gap.start_ns, gap.end_ns, gap.missing, text)


def _runs_within_sessions(series: Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the indexes of the first and last expected bar of each run of missing ones.

    Only sessions with bars count, and a run ends at a break of trading.
    """
    expected = series.expected
    held = np.bincount(series.session, minlength=len(series.grid)) > 0
    missing = np.flatnonzero(~series.present & held[expected.session])
    apart = np.diff(missing) > 1
    apart |= expected.end_ns[missing[:-1]] != expected.start_ns[missing[1:]]
    first = np.concatenate([[0], np.flatnonzero(apart) + 1])[: len(missing)].astype(np.intp)
    last = np.append(first[1:], len(missing)) - 1
    return (missing[first], missing[last]) if len(missing) else (missing, missing)


def _seen_by(
    elsewhere: tuple[Elsewhere, ...], start_ns: NDArray[np.int64], end_ns: NDArray[np.int64]
) -> NDArray[np.str_]:
    """Return, per range of time, the first other interval with a bar.

    The text is empty where there is none.
    """
    seen = np.full(len(start_ns), "", "U8")
    for other in elsewhere:
        seen[(seen == "") & other.within(start_ns, end_ns)] = other.interval
    return seen
