"""Assumptions about fills and costs of a run, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.config import SessionConfig
    from openbell.config.costs import FeesConfig, SlippageConfig
    from openbell.config.execution import ExecutionConfig

__all__ = ["assumptions", "costs_nothing", "is_at_broker"]


def costs_nothing(execution: ExecutionConfig) -> bool:
    """Return whether a run had neither fees nor slippage."""
    return execution.fees.model == "none" and execution.slippage.model == "none"


def is_at_broker(config: SessionConfig) -> bool:
    """Return whether orders of a run went to a broker over the network."""
    return config.mode == "live" and config.execution is not None and config.execution.broker != "simulated"


def assumptions(config: SessionConfig) -> Iterator[tuple[str, str]]:
    """Yield the assumptions of a run, each as a heading and a sentence."""
    execution, data = config.execution, config.session_data_config
    if execution is None:
        yield "Trading", "nothing: the config has no section execution, so that signals stay signals"
    elif is_at_broker(config):
        yield from _at_broker(execution)
    else:
        if execution.broker != "simulated":
            yield "Broker", f"simulated: {execution.broker.title()} gets the orders of live sessions alone"
        yield from _of_trading(execution)
    yield "Prices", _prices(data.adjustment)
    policy = data.gap_policy
    yield (
        "Missing bars",
        "stay missing"
        if policy == "none"
        else "are filled within a session with bars at the last price, on which nothing fills",
    )


def _of_trading(execution: ExecutionConfig) -> Iterator[tuple[str, str]]:
    fills = execution.fills
    yield (
        "Market orders",
        "fill at the next bar's open"
        if fills.market == "next_open"
        else "fill at the close of the bar just seen, which in a market is over by the time it is known",
    )
    yield "Stops", "fill at their price, or at the open of a bar that opens through it"
    yield "Limits", "fill only when the price trades through them, or at a better open"
    yield (
        "A bar that touches stop and target",
        f"fills the {fills.both_touched} of both, unless finer bars are stored that tell which came first",
    )
    share = fills.max_volume_share
    yield (
        "Volume",
        "an order is never too large for a bar" if share is None else f"an order takes at most {share:.3g} of a bar's",
    )
    yield "Fees", _model(execution.fees)
    yield "Slippage", _model(execution.slippage)
    yield (
        "Account",
        f"{execution.account}, {execution.cash:,.2f} {execution.currency} at the start, leverage up to "
        f"{execution.leverage:g}, short sales {'allowed' if execution.shorting else 'refused'}"
        + (f", borrowing at {execution.borrow_rate:.2%} a year" if execution.shorting else ""),
    )
    yield from _of_results(execution)


def _at_broker(execution: ExecutionConfig) -> Iterator[tuple[str, str]]:
    yield "Orders", f"went to {execution.broker.title()}: fills and their prices are the broker's, nothing is simulated"
    yield "Fees and money", "that came or went are as the broker has booked them; a deposit counts in the net profit"
    yield from _of_results(execution)


def _of_results(execution: ExecutionConfig) -> Iterator[tuple[str, str]]:
    yield (
        "Exits in part",
        "close what was bought first" if execution.lots == "fifo" else "close all units alike, at their mean price",
    )
    if execution.risk_free_rate:
        yield "Risk-free rate", f"{execution.risk_free_rate:.2%} a year"


def _model(model: FeesConfig | SlippageConfig) -> str:
    parameters = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                           for name, value in model.params.items())  # fmt: skip
    if model.model == "none":
        return "none were charged; a market charges some"
    return f"{model.model} ({parameters})" if parameters else model.model


def _prices(adjustment: str) -> str:
    return {
        "raw": "of earlier days are as traded",
        "split": "of earlier days are adjusted for splits that were known on the day",
        "total": "of earlier days are adjusted for splits and dividends that were known on the day",
    }[adjustment] + "; those of a session itself are as traded"
