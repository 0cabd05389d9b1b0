"""Bar intervals, their order, and the base intervals that build them.

An interval is written ``<n><unit>`` with the unit ``s``, ``m``, ``h``, ``d`` or ``w``. Hours are minutes (``1h`` is
``60m``) and whole minutes of seconds are minutes (``120s`` is ``2m``), so that equal intervals are equal values.

``1s``, ``1m`` and ``1d`` are the usual base intervals. A store takes any intraday interval and ``1d``; everything else
is derived from the coarsest stored one that builds it exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache, total_ordering
from typing import TYPE_CHECKING, Literal

from openbell.errors import IntervalError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = [
    "BASE_INTERVALS",
    "DAY_NS",
    "Interval",
    "base_candidates",
    "builds",
    "coarsest_base",
    "determine_required_base",
    "parse_interval",
    "why_underivable",
]

Unit = Literal["s", "m", "d", "w"]

BASE_INTERVALS = ("1s", "1m", "1d")
"""The usual base intervals, which every session builds on, finest first."""

DAY_NS = 86_400_000_000_000
"""The nanoseconds of a day, to convert days since 1970-01-01 to nanoseconds since 1970 UTC."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WRITTEN = re.compile(r"([1-9]\d*)([smhdw])")
_MONTHS = re.compile(r"\d+M")
_LONGEST_INTRADAY_S = 86_400


_FORM = "it is not <number><unit> with the unit s, m, h, d or w. Write for example 1s, 5m, 1h, 1d or 1w."


@total_ordering
@dataclass(frozen=True, slots=True)
class Interval:
    """A bar interval in its canonical form, as `parse_interval` makes it.

    Attributes:
        count: Its length in units.
        unit: ``s`` or ``m`` within a session; ``d`` counts sessions and ``w`` calendar weeks.
    """

    count: int
    unit: Unit
    seconds: int = field(init=False, repr=False, compare=False)
    """Nominal length in seconds; of days and weeks, for ordering only."""
    is_intraday: bool = field(init=False, repr=False, compare=False)
    """Whether bars lie within one session (seconds and minutes)."""
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Computed once, because they are read very often.
        object.__setattr__(self, "seconds", self.count * _SECONDS[self.unit])
        object.__setattr__(self, "is_intraday", self.unit in ("s", "m"))
        object.__setattr__(self, "_text", f"{self.count}{self.unit}")

    @property
    def ns(self) -> int:
        """Nominal length in nanoseconds (of days and weeks, for ordering only)."""
        return self.seconds * 1_000_000_000

    def __str__(self) -> str:
        return self._text

    def __hash__(self) -> int:
        return self.seconds

    def __lt__(self, other: Interval) -> bool:
        return (self.seconds, self.unit) < (other.seconds, other.unit)  # 7d and 1w are two intervals


def parse_interval(text: str) -> Interval:
    """Parse an interval such as ``5m``, ``1h``, ``1d``.

    Raises:
        IntervalError: Not of the form ``<n>s|m|h|d|w``, or an intraday interval of a day or more.
    """
    if not isinstance(text, str):
        raise IntervalError(f"bad interval {text!r}: {_FORM}")
    return _parsed(text)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Interval:
    if _MONTHS.fullmatch(text.strip()):
        raise IntervalError(
            f"bad interval {text!r}: elsewhere M means months, which openbell does not have. "
            f"Write {text.strip().lower()} for minutes, or 1w for weeks."
        )
    match = _WRITTEN.fullmatch(text.strip().lower())
    if match is None:
        tick = text.strip().lower().rstrip("s") in ("tick", "quote", "trade")
        why = "openbell works on bars, not ticks. Write for example 1s, 5m, 1h, 1d or 1w." if tick else _FORM
        raise IntervalError(f"bad interval {text!r}: {why}")
    count, unit = int(match[1]), match[2]
    if unit == "h":
        count, unit = count * 60, "m"
    elif unit == "s" and count % 60 == 0:
        count, unit = count // 60, "m"
    if unit in ("s", "m") and count * _SECONDS[unit] >= _LONGEST_INTRADAY_S:
        raise IntervalError(
            f"bad interval {text!r}: within a session it must be shorter than a day. Use 1d for sessions."
        )
    return Interval(count, unit)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def base_candidates(interval: str) -> tuple[str, ...]:
    """Return the base intervals that build ``interval`` exactly, coarsest first."""
    wanted = parse_interval(interval)
    bases = [parse_interval(b) for b in reversed(BASE_INTERVALS)]
    if wanted.is_intraday:
        return tuple(str(b) for b in bases if b.is_intraday and wanted.seconds % b.seconds == 0)
    return tuple(str(b) for b in bases)


def builds(base: str, interval: str) -> bool:
    """Return whether bars of ``interval`` can be read from, or made exactly of, bars of ``base``."""
    source, wanted = parse_interval(base), parse_interval(interval)
    if not wanted.is_intraday:
        return source.is_intraday or str(source) == "1d"
    return source.is_intraday and wanted.seconds % source.seconds == 0


def coarsest_base(interval: str, available: Iterable[str]) -> str | None:
    """Return the coarsest of some intervals that builds another exactly, or None."""
    return max((base for base in available if builds(base, interval)), key=parse_interval, default=None)


def determine_required_base(
    interval: str, available: Collection[str] | None = None, off_grid: Collection[str] = ()
) -> str:
    """Return the base interval that ``interval`` is read or derived from.

    Args:
        interval: The interval that is wanted.
        available: The stored intervals of the symbol that lie on its sessions' grid; None for `BASE_INTERVALS`.
        off_grid: Those that do not, for the message.

    Returns:
        The coarsest that is available and builds the interval exactly (``15m`` from ``5m``, else from ``1m``).

    Raises:
        IntervalError: Nothing that is available builds it.
    """
    if available is None:
        return base_candidates(interval)[0]
    if (base := coarsest_base(interval, available)) is not None:
        return base
    raise IntervalError(why_underivable([interval], available, off_grid)[0])


def why_underivable(intervals: Iterable[str], available: Collection[str], off_grid: Collection[str] = ()) -> list[str]:
    """Explain which intervals can be neither read nor derived, and what to do.

    Args:
        intervals: The intervals that are wanted.
        available: The stored intervals of the symbol that lie on its sessions' grid.
        off_grid: The stored intervals that do not lie on that grid, from which nothing is derived.

    Returns:
        One text for each group of intervals that need the same bases; empty when all can be read or derived. A wanted
        interval that is itself one of these bases is named as such only, unless its group has no other.
    """
    missing: dict[tuple[str, ...], list[str]] = {}
    for interval in dict.fromkeys(intervals):
        if not any(builds(base, interval) for base in available):
            missing.setdefault(base_candidates(interval), []).append(interval)
    held = ", ".join(sorted({*available, *off_grid}, key=parse_interval)) or "nothing"
    return [
        _underivable([name for name in names if name not in bases] or names, bases, held, off_grid)
        for bases, names in missing.items()
    ]


def _underivable(intervals: list[str], bases: Sequence[str], held: str, off_grid: Collection[str]) -> str:
    need, coarser = ("it needs", "a coarser interval") if len(intervals) == 1 else ("this needs", "coarser intervals")
    stored = " and ".join(
        sorted((name for name in off_grid if any(builds(name, i) for i in intervals)), key=parse_interval)
    )
    return (
        f"{', '.join(intervals)} cannot be derived: {need} {' or '.join(bases)} bars, and the store holds {held}. "
        + (f"Stored {stored} bars do not begin at multiples of it from the open of trading. " if stored else "")
        + f"Import {bases[0]} bars, or ask for {coarser}."
    )
