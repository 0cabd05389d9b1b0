"""Config of trading, with the account, costs, fills and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from openbell.config.costs import Fees, FeesConfig, Slippage, SlippageConfig
from openbell.config.fields import read_symbol
from openbell.config.strict_model import StrictModel

__all__ = [
    "ExecutionConfig",
    "FillsConfig",
    "InstrumentConfig",
    "MaintenanceConfig",
    "RiskConfig",
    "SignalTarget",
    "TargetConfig",
]

Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
"""A number above zero."""

Percent: TypeAlias = Annotated[float, Field(ge=0, le=100, strict=True)]
"""A percentage from 0 to 100."""

Currency: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3,5}$", strict=True)]
"""A currency by its code, such as USD."""

Symbol: TypeAlias = Annotated[str, BeforeValidator(read_symbol)]
"""A symbol, in the case in which it was written."""

_REG_T_LEVERAGE = 2.0


class FillsConfig(StrictModel):
    """Rules by which the simulated broker fills orders."""

    market: Literal["next_open", "this_close"] = "next_open"
    """Where a market order fills: at the next bar's open, or at the close of the bar that was just seen."""
    both_touched: Literal["worse", "better"] = "worse"
    """Which leg fills when one bar touches stop and target of a bracket, and no finer bars tell them apart."""
    max_volume_share: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None
    """The share of a bar's volume that an order may take; the rest stays open. No bound unless given."""


class InstrumentConfig(StrictModel):
    """Terms by which a symbol is traded."""

    multiplier: Positive = 1.0
    """Money that one point of the price is worth, per unit: 50 for the E-mini S&P 500."""
    tick: Positive | None = None
    """The smallest step of the price; an order with a price off it is rejected. Any price unless given."""
    currency: Currency | None = None
    """The currency of its price by its code in capitals; that of the account unless given."""
    fractional: Annotated[bool, Field(strict=True)] = False
    """Whether parts of a unit can be traded."""
    margin: Positive | None = None
    """Money that one unit ties up, as futures have it; a share of its value by the account's leverage unless given."""


class MaintenanceConfig(StrictModel):
    """Equity that positions need to be held, as percentages of their value."""

    long_percent: Percent = 25.0
    """Of long positions."""
    short_percent: Percent = 30.0
    """Of short positions."""


class RiskConfig(StrictModel):
    """Limits that every order is checked against before it is sent."""

    max_position_percent: Positive | None = None
    """The largest position in one symbol, as a percentage of equity."""
    max_gross_leverage: Positive | None = None
    """The largest sum of all positions, longs and shorts added up, as a multiple of equity."""
    max_orders_per_minute: Annotated[int, Field(ge=1, strict=True)] | None = None
    """The most orders in 60 seconds of the session clock."""
    price_collar_percent: Positive | None = None
    """How far a limit or stop price may lie from the last price, as a percentage of it."""
    max_price_age_seconds: Positive | None = None
    """How long ago a symbol's last bar may have closed, in seconds, for an order that makes its position larger."""
    duplicate_seconds: Positive | None = None
    """For how many seconds a strategy's order is refused if it repeats symbol, quantity, type and prices of another."""
    max_daily_loss_percent: Annotated[float, Field(gt=0, le=100, strict=True)] | None = None
    """The largest loss in a session, of the equity that it began with; then all is closed, and no order accepted."""


class TargetConfig(StrictModel):
    """A target for a symbol's position, in one of three measures."""

    percent: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = None
    """As a percentage of equity; negative is short."""
    quantity: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = None
    """In units; negative is short."""
    value: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = None
    """In money; negative is short."""

    @model_validator(mode="after")
    def _one_measure(self) -> TargetConfig:
        if sum(v is not None for v in (self.percent, self.quantity, self.value)) != 1:
            raise ValueError("write one of percent, quantity and value, such as {percent: 10}, or close.")
        return self


def _read_target_word(value: object) -> object:
    if value not in ("close", "ignore"):
        raise ValueError(f"must be 'close', 'ignore' or a target such as {{percent: 10}}, not {value!r}")
    return value


SignalTarget: TypeAlias = Annotated[
    Annotated[Literal["close", "ignore"], BeforeValidator(_read_target_word), Tag("<word>")]
    | Annotated[TargetConfig, Tag("<target>")],
    Discriminator(lambda value: "<target>" if isinstance(value, Mapping | TargetConfig) else "<word>"),
]
"""What a signal's action means for the position: a target, ``close`` or ``ignore``."""


class ExecutionConfig(StrictModel):
    """Trading of a session, with its account, costs and limits."""

    # Default factories, because pydantic would build the validators of default instances at every import.

    broker: Literal["simulated", "alpaca"] = "simulated"
    """Who fills orders: the simulated broker, or in live sessions Alpaca, whose keys are in the environment. Backtests
    and replays are always simulated."""
    live_money: Annotated[bool, Field(strict=True)] = False
    """Whether a live session may trade with real money; the environment has to allow it as well, by
    OPENBELL_LIVE_MONEY=yes."""
    at_stop: Literal["keep", "cancel"] = "keep"
    """What becomes of open orders at a broker when a live run is stopped: they stay there, or are cancelled."""
    cash: Positive = 100_000.0
    """The money that the account begins with."""
    currency: Currency = "USD"
    """The account's currency by its code in capitals, such as USD."""
    account: Literal["margin", "cash"] = "margin"
    """Whether the account may borrow: "margin", or "cash", which spends what it has."""
    leverage: Annotated[float, Field(ge=1, allow_inf_nan=False, strict=True)] = _REG_T_LEVERAGE
    """The largest multiple of equity that positions may be worth; 2 in a margin account and 1 in a cash account unless
    given."""
    shorting: Annotated[bool, Field(strict=True)] = True
    """Whether positions may be short; true in a margin account and false in a cash account unless given."""
    fees: Fees = Field(default_factory=FeesConfig)
    """The fees of trading."""
    slippage: Slippage = Field(default_factory=SlippageConfig)
    """The slippage of orders that take the market's price."""
    fills: FillsConfig = Field(default_factory=FillsConfig)
    """How orders fill."""
    cash_buffer_percent: Annotated[float, Field(ge=0, lt=100, strict=True)] = 0.25
    """The percentage of equity that percent targets leave free."""
    min_target_change_percent: Annotated[float, Field(ge=0, lt=100, strict=True)] = 0.1
    """The least change of a position that a target in percent or money makes, as a percentage of equity."""
    signals: dict[Annotated[str, Field(min_length=1, strict=True)], SignalTarget] = Field(default_factory=dict)
    """What actions of signals do without any order in code: {BUY: {percent: 10}, SELL: close}. Fields of a Signal take
    precedence."""
    benchmark: Symbol | None = None
    """The symbol that results are compared with."""
    lots: Literal["fifo", "average"] = "fifo"
    """What a partial exit closes: the units that were bought first, or all alike at their average price."""
    risk_free_rate: Annotated[float, Field(gt=-1, lt=1, strict=True)] = 0.0
    """The yearly rate that ratios are measured against, as a fraction: 0.02 is 2 %."""
    risk: RiskConfig = Field(default_factory=RiskConfig)
    """Limits of orders and losses."""
    instruments: dict[Symbol, InstrumentConfig] = Field(default_factory=dict)
    """How symbols are traded that are no plain shares: {ES: {multiplier: 50, tick: 0.25, margin: 15000}}."""
    no_bars: Literal["keep", "close_at_last"] = "keep"
    """What becomes of a position whose symbol has had no bars for five sessions: it stays, or is closed at its last
    price."""
    maintenance: MaintenanceConfig = Field(default_factory=MaintenanceConfig)
    """The equity below which a margin account gets a margin call."""
    borrow_rate: Annotated[float, Field(ge=0, lt=100, strict=True)] = 0.0
    """The yearly cost of borrowed shares, as a fraction of their value: 0.03 is 3 %."""

    @model_validator(mode="before")
    @classmethod
    def _by_account(cls, values: object) -> object:
        """Fill in what follows from the kind of account."""
        if isinstance(values, dict) and values.get("account") == "cash":
            return {"leverage": 1.0, "shorting": False, **values}
        return values

    @model_validator(mode="after")
    def _cash_account_borrows_nothing(self) -> ExecutionConfig:
        if self.account == "cash" and self.leverage != 1:
            raise ValueError(f"a cash account has no leverage of {self.leverage:g}. Take it out, or account: margin.")
        if self.account == "cash" and self.shorting:
            raise ValueError("a cash account cannot sell short. Take shorting out, or write account: margin.")
        return self
