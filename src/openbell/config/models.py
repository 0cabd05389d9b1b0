"""Session config as frozen models, one for each level of the file."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from openbell.config.components import (
    NAME_PATTERN,
    ComponentConfig,
    ScannerConfig,
    ScheduleConfig,
    StrategyConfig,
    with_names,
)
from openbell.config.exchange import Exchange
from openbell.config.execution import ExecutionConfig
from openbell.config.fields import Day, Intervals, StorePlace, Symbols, symbol_list
from openbell.config.gap_policy import GapPolicies
from openbell.config.indicator import IndicatorConfig
from openbell.config.live import DAYS_TO_COME, LiveConfig
from openbell.config.strict_model import StrictModel
from openbell.config.sweep import SweepConfig

if TYPE_CHECKING:
    from datetime import date

    from openbell.model.address import Place

__all__ = [
    "BacktestConfig",
    "ComponentConfig",
    "HistoricalConfig",
    "HistoricalEntry",
    "ScannerConfig",
    "ScheduleConfig",
    "SessionConfig",
    "SessionDataConfig",
    "StrategyConfig",
]


class BacktestConfig(StrictModel):
    """Sessions that a backtest runs."""

    start_date: Day
    """The first day; the first session is on it or after it."""
    end_date: Day
    """The last day, included."""

    @field_validator("end_date")
    @classmethod
    def _not_before_start(cls, end: date, info: ValidationInfo) -> date:
        start = info.data.get("start_date")
        if start is not None and end < start:
            raise ValueError(f"{end} is before start_date {start}. Swap them.")
        return end


def _read_apply_to(value: object) -> object:
    if value == "all":
        return value
    if isinstance(value, str):
        raise ValueError(f'must be "all" or a list of symbols, not {value!r}. Write [{value}].')
    return symbol_list(value)


class HistoricalEntry(StrictModel):
    """History that each of some symbols must have before its session starts."""

    trailing_days: Annotated[int, Field(ge=0, strict=True)] = 0
    """How many complete sessions before the current one."""
    trailing_bars: Annotated[int, Field(ge=0, strict=True)] = 0
    """How many bars before the current session; with trailing_days, the deeper of the two."""
    intervals: Intervals
    """The intervals that it is loaded for."""
    apply_to: Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_read_apply_to)] = "all"
    """"all", or the list of the config's symbols that it is for."""

    @model_validator(mode="before")
    @classmethod
    def _has_depth(cls, entry: object) -> object:
        if isinstance(entry, dict) and not {"trailing_days", "trailing_bars"} & entry.keys():
            raise ValueError("no amount of history is given. Set trailing_days (sessions) or trailing_bars.")
        return entry


class HistoricalConfig(StrictModel):
    """History that the session needs.

    For each symbol and interval the deepest entry wins.
    """

    data: tuple[HistoricalEntry, ...] = ()
    """The entries."""
    gap_fill: Annotated[bool, Field(strict=True)] = False
    """Whether a missing 1m bar is built from complete 1s bars, and a missing 1d bar from complete 1m bars."""


class SessionDataConfig(StrictModel):
    """Data that every symbol of the session has."""

    symbols: Symbols
    """The symbols that every session starts with."""
    streams: Intervals = ("1m",)
    """The intervals that are streamed; those that the store does not hold are derived."""
    historical: HistoricalConfig = HistoricalConfig()
    """The history that is loaded before the session."""
    indicators: tuple[IndicatorConfig, ...] = ()
    """The indicators that every symbol has."""
    session_hours: Literal["regular", "extended"] = "regular"
    """Whether bars before the open and after the close are left out or kept."""
    adjustment: Literal["raw", "split", "total"] = "split"
    """What a session's bars of earlier days are adjusted for, as known on its day: nothing, splits, or splits and cash
    dividends."""
    min_completeness: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.0
    """The share of its inputs that a derived bar must have to be kept: 0 keeps every one, 1 only complete ones."""
    on_shortfall: Literal["reject", "warm"] = "reject"
    """Too little history for an indicator: "reject" refuses it, "warm" leaves it not valid until it has enough."""
    on_empty_day: Literal["stop", "skip"] | None = None
    """A session without a bar, or for which no symbol can be provisioned: "stop" ends the run there, "skip" continues
    with the next. Unless given, the first is run with a warning, and the second ends the run."""
    settling_tolerance: Annotated[float, Field(gt=0, lt=1, strict=True)] = 1e-4
    """The relative difference below which a recursive indicator's starting point no longer shows."""
    min_quality: Annotated[float, Field(ge=0, le=100, strict=True)] = 0.0
    """The percentage of its expected bars that a symbol's history must have, and without doubt, to be loaded."""
    gap_policy: GapPolicies = "none"
    """What stands in for missing bars: nothing ("none"), or synthetic ones that repeat the session's last close
    ("forward"); one word for all series, or a word by interval, symbol and "default"."""
    indicators_see_filled: Annotated[bool, Field(strict=True)] = False
    """Whether indicators read synthetic bars; unless they do, they stand still over them."""

    @field_validator("historical")
    @classmethod
    def _known_symbols(cls, historical: HistoricalConfig, info: ValidationInfo) -> HistoricalConfig:
        symbols = info.data.get("symbols")
        for at, entry in enumerate(historical.data):
            strangers = [s for s in entry.apply_to if s not in symbols] if symbols and entry.apply_to != "all" else []
            if strangers:
                raise ValueError(
                    f"data[{at}].apply_to names {', '.join(strangers)}, which {'is' if len(strangers) == 1 else 'are'} "
                    "not in session_data_config.symbols. Add it there, or take it out here."
                )
        return historical

    @field_validator("indicators")
    @classmethod
    def _distinct(cls, indicators: tuple[IndicatorConfig, ...]) -> tuple[IndicatorConfig, ...]:
        seen: dict[IndicatorConfig, int] = {}
        for at, indicator in enumerate(indicators):
            first = seen.setdefault(indicator, at)
            if first != at:
                raise ValueError(f"entries {first} and {at} ({indicator.name}) are the same. Take one out.")
        return indicators


def _or_days_to_come(value: object, info: ValidationInfo) -> object:
    if value is not None:
        return value
    if info.data.get("mode") == "live":
        return DAYS_TO_COME
    raise PydanticCustomError("missing", "Field required")


class SessionConfig(StrictModel):
    """A trading session, with its needs and what runs in it."""

    session_name: Annotated[str, Field(pattern=NAME_PATTERN, strict=True)] = "session"
    """The session's name: letters, digits, blanks, dots, dashes and underscores. Run folders are named after it."""
    mode: Literal["backtest", "live"] = "backtest"
    """How it runs: over stored days, or by the bars of a feed as they come."""
    exchange: Exchange = "XNYS"
    """The exchange's calendar: XNYS, XHKG, US_EQUITY, 24/7 ... (openbell calendars lists all), or own sessions."""
    store: StorePlace | None = None
    """The bar store: its folder, relative to the config file, or its address (s3://bucket/prefix); the option --store
    takes precedence."""
    backtest_config: Annotated[BacktestConfig, BeforeValidator(_or_days_to_come)] = Field(
        default=None, validate_default=True
    )
    """The days of the backtest; a live session does without."""
    session_data_config: SessionDataConfig
    """The symbols and what each of them has."""
    scanners: tuple[ScannerConfig, ...] = ()
    """What looks for symbols."""
    strategies: Annotated[tuple[StrategyConfig, ...], AfterValidator(with_names)] = ()
    """What gives signals and orders."""
    live: LiveConfig | None = None
    """Where a live session's bars come from."""
    execution: ExecutionConfig | None = None
    """How orders are traded; without it nothing trades."""
    sweep: SweepConfig | None = None
    """What `openbell sweep` varies; a run does without it."""

    _given_path: Path | None = PrivateAttr(None)
    _source_path: Path | None = PrivateAttr(None)
    _text: str = PrivateAttr("")  # the text of the file when it was read, since the file may be edited later

    @property
    def source_path(self) -> Path | None:
        """File that the config was read from, or None."""
        return self._source_path

    @property
    def display_name(self) -> str:
        """Name in messages (its file as the caller gave it, or "config")."""
        return str(self._given_path or "config")

    @property
    def folder(self) -> Path:
        """Folder that relative paths in the config start from."""
        return self._source_path.parent if self._source_path else Path.cwd()

    @property
    def exchange_name(self) -> str:
        """Name of the exchange as it was written, or of own sessions."""
        return self.exchange if isinstance(self.exchange, str) else self.exchange.name

    @property
    def exchange_option(self) -> str:
        """Command-line option that passes the exchange to a data command (empty for XNYS)."""
        if self.exchange == "XNYS":
            return ""
        if isinstance(self.exchange, str):
            named = self.exchange
        elif self._given_path:
            named = str(self._given_path)
        else:
            named = json.dumps(self.exchange.model_dump(mode="json", exclude_unset=True))
        return f" --exchange {quote(named)}"

    @property
    def has_days(self) -> bool:
        """Whether it names the days to run, as every config but a live one does."""
        return self.mode == "backtest" or self.backtest_config.model_dump() != DAYS_TO_COME

    def with_days(self, first: date, last: date) -> SessionConfig:
        """Return the same config for other days."""
        return self.model_copy(update={"backtest_config": BacktestConfig(start_date=first, end_date=last)})

    def with_store(self, store: Place) -> SessionConfig:
        """Return the same config with its bars in another store."""
        return self.model_copy(update={"store": store})

    def resolved(self) -> dict[str, Any]:
        """Return all values of a run with the defaults filled in, as JSON can hold them.

        `load_config` reads the result. The sweep is left out, because it is not part of a single run.
        """
        return self.model_dump(mode="json", exclude={"sweep"} if self.live else {"sweep", "live"})

    def written(self) -> dict[str, Any]:
        """Return the values of a run that were set explicitly, as JSON can hold them."""
        return self.model_dump(mode="json", exclude={"sweep"}, exclude_unset=True)
