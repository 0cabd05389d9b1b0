"""Declared need of a strategy or scanner."""

from __future__ import annotations

from dataclasses import dataclass

from openbell.config import IndicatorConfig
from openbell.errors import ConfigError
from openbell.model.interval import parse_interval
from openbell.model.symbol import checked_symbol
from openbell.provisioning.analysis import whole_number
from openbell.provisioning.warm_up import analyze_indicator_requirements

__all__ = ["Requirement"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """Need of a strategy or scanner, as its ``requirements`` declares it.

    ``Requirement("SPY", IndicatorConfig("sma", period=200, interval="1d"))`` needs an indicator with its bars and
    warm-up, ``Requirement("SPY", "5m", days=3)`` bars.

    Attributes:
        symbol: The symbol.
        needs: An indicator by its config, or an interval of bars.
        days: Whole sessions of history, for an interval.
        bars: Bars of history, for an interval; of sessions and bars, whichever reaches further back.

    Raises:
        ConfigError: The symbol is not a string; there is no such indicator, parameter or interval; a number is not a
            whole one of 0 or more; or days or bars are given for an indicator.
    """

    symbol: str
    needs: IndicatorConfig | str
    days: int = 0
    bars: int = 0

    def __post_init__(self) -> None:
        checked_symbol(self.symbol)
        if isinstance(self.needs, IndicatorConfig):
            analyze_indicator_requirements(self.needs)
            if self.days or self.bars:
                what = f"{self.symbol} {self.name}"
                raise ConfigError(f"{what}: an indicator brings its own history; days and bars go with an interval.")
            return
        what = f"{self.symbol}: bars of {parse_interval(self.needs)}"
        whole_number("days", self.days, "sessions", what)
        whole_number("bars", self.bars, "bars", what)

    @property
    def name(self) -> str:
        """The key of the indicator, or the canonical interval."""
        if isinstance(self.needs, IndicatorConfig):
            return analyze_indicator_requirements(self.needs).key
        return str(parse_interval(self.needs))

    @property
    def interval(self) -> str:
        """The canonical interval of its bars."""
        return str(parse_interval(self.needs.interval if isinstance(self.needs, IndicatorConfig) else self.needs))

    def __str__(self) -> str:
        depth = [f"{self.days} sessions"] * bool(self.days) + [f"{self.bars} bars"] * bool(self.bars)
        return self.name + (f" ({' and '.join(depth)})" if depth else "")
