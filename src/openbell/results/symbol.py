"""Typed results of symbols, their series and their indicators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.actions import Action
    from openbell.market_data.completeness import Gap

__all__ = ["IndicatorResult", "SeriesResult", "SymbolResult"]


class SeriesResult(NamedTuple):
    """One bar series of a symbol at the end of a session.

    Attributes:
        derived: Whether its bars are built from those of ``base``.
        base: The stored interval of a derived series; None for stored bars.
        historical_rows: Bars from before the session.
        session_rows: Bars that closed in the session.
        synthetic_rows: Bars among both that fill gaps.
        quality: Share of the session's expected bars that are there, 0 to 100; None when not scored.
        historical_quality: Share of the history's expected bars that are there, 0 to 100; None when not scored.
        gaps: The missing bars, those of the history first.
        partial_rows: Bars of a derived series that were made of fewer bars than the calendar expects.
    """

    derived: bool
    base: str | None
    historical_rows: int
    session_rows: int
    synthetic_rows: int
    quality: float | None
    historical_quality: float | None
    gaps: tuple[Gap, ...]
    partial_rows: int = 0


class IndicatorResult(NamedTuple):
    """One indicator of a symbol at the end of a session.

    Attributes:
        interval: The interval that it reads.
        valid: Whether it has a value.
        settled: Whether its starting point no longer shows in the value.
        value: The last value; by output when there are several; None when not valid.
        lookback: Bars that its first value takes.
        warmup_bars: Bars of history that it was computed over.
        settles: Whether it ever settles; one that counts from its first bar on does not.
    """

    interval: str
    valid: bool
    settled: bool
    value: float | dict[str, float] | None
    lookback: int
    warmup_bars: int
    settles: bool = True


@dataclass(frozen=True, slots=True)
class SymbolResult:
    """One symbol at the end of a session.

    Attributes:
        meets_session_config_requirements: Whether it is full: has all that the config asks of every symbol.
        added_by: The source that brought it: "config", "scanner", "strategy" ...
        auto_provisioned: Whether an addition of bars or of an indicator created it.
        upgraded_from_adhoc: Whether it was ad hoc before it became full.
        reason: Why it is in the session, for people.
        base_interval: The finest stored interval that it streams; None without bars.
        adjustment: What prices of earlier days are adjusted for: "raw", "split" or "total".
        actions: The corporate actions that changed its bars or its name, by ex-date.
        bars: Its series by interval, finest first.
        indicators: Its indicators by key.
    """

    meets_session_config_requirements: bool
    added_by: str
    auto_provisioned: bool
    upgraded_from_adhoc: bool
    reason: str
    base_interval: str | None
    adjustment: str
    actions: tuple[Action, ...]
    bars: Mapping[str, SeriesResult]
    indicators: Mapping[str, IndicatorResult]

    @property
    def base_bars(self) -> SeriesResult | None:
        """The series of the interval that it streams, or None without bars."""
        return self.bars.get(self.base_interval or "")
