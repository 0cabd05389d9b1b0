"""The execution section says how a session trades, and every mistake in it is told with its place and its remedy."""

from __future__ import annotations

from typing import Any

import pytest

from openbell.config import SessionConfig, load_config
from openbell.errors import InvalidConfigError

DESIGN_EXAMPLE = {
    "broker": "simulated",
    "cash": 100000,
    "account": "margin",
    "leverage": 2,
    "fees": {"model": "ibkr_fixed"},
    "slippage": {"model": "bps", "bps": 1},
    "fills": {"market": "next_open", "both_touched": "worse", "max_volume_share": 0.1},
    "cash_buffer_percent": 0.25,
    "signals": {"BUY": {"percent": 10}, "SELL": "close"},
    "benchmark": "SPY",
    "lots": "fifo",
    "risk_free_rate": 0,
    "risk": {"max_position_percent": 25, "max_daily_loss_percent": 3, "max_orders_per_minute": 60},
}


def config(execution: Any = None, *strategies: dict[str, Any]) -> SessionConfig:
    values: dict[str, Any] = {
        "backtest_config": {"start_date": "2013-10-10", "end_date": "2013-10-11"},
        "session_data_config": {"symbols": ["SPY"]},
        "strategies": strategies,
    }
    return load_config(values if execution is None else {**values, "execution": execution})


def problem(execution: Any) -> str:
    with pytest.raises(InvalidConfigError) as caught:
        config(execution)
    (text,) = caught.value.problems
    return text


def test_without_the_section_nothing_trades() -> None:
    assert config().execution is None


def test_an_empty_section_trades_with_the_defaults() -> None:
    execution = config({}).execution

    assert execution is not None
    assert (execution.cash, execution.currency, execution.account) == (100_000, "USD", "margin")
    assert (execution.leverage, execution.shorting) == (2, True)
    assert (execution.fees.model, execution.slippage.model, execution.fills.market) == ("none", "none", "next_open")
    assert (execution.maintenance.long_percent, execution.maintenance.short_percent) == (25, 30)
    assert execution.cash_buffer_percent == 0.25


def test_the_design_example_reads_as_it_is_meant() -> None:
    execution = config(DESIGN_EXAMPLE).execution

    assert execution is not None
    assert execution.fees.model == "ibkr_fixed"
    assert (execution.slippage.model, execution.slippage.params) == ("bps", {"bps": 1})
    assert execution.fills.max_volume_share == 0.1
    buy, sell = execution.signals["BUY"], execution.signals["SELL"]
    assert not isinstance(buy, str)
    assert (buy.percent, buy.quantity, buy.value) == (10, None, None)
    assert sell == "close"
    assert execution.risk.max_orders_per_minute == 60
    assert execution.benchmark == "SPY"


def test_a_cash_account_has_no_leverage_and_sells_nothing_short() -> None:
    execution = config({"account": "cash"}).execution

    assert execution is not None
    assert (execution.leverage, execution.shorting) == (1, False)


def test_what_a_config_resolves_to_reads_as_the_same_config() -> None:
    first = config(
        DESIGN_EXAMPLE | {"instruments": {"ES": {"multiplier": 50, "tick": 0.25, "margin": 15000}}},
        {"module": "a.py:X"},
        {"module": "a.py:X"},
    )

    assert load_config(first.resolved()) == first


@pytest.mark.parametrize(
    ("execution", "told"),
    [
        ({"acount": "cash"}, "execution.acount: unknown key; did you mean 'account'?"),
        ({"cash": 0}, "execution.cash: must be greater than 0, not 0"),
        ({"cash": float("nan")}, "execution.cash: must be a finite number, not nan"),
        ({"cash": "100"}, "execution.cash: must be a valid number, not '100'"),
        ({"broker": "simulatd"}, "execution.broker: must be 'simulated' or 'alpaca', not 'simulatd'"),
        ({"live_money": "yes"}, "execution.live_money: must be a valid boolean, not 'yes'"),
        ({"at_stop": "close"}, "execution.at_stop: must be 'keep' or 'cancel', not 'close'"),
        ({"currency": "usd"}, "execution.currency: 'usd' cannot be used: The account's currency by its code"),
        ({"leverage": 0.5}, "execution.leverage: must be greater than or equal to 1, not 0.5"),
        ({"account": "cash", "leverage": 2}, "execution: a cash account has no leverage of 2."),
        ({"account": "cash", "shorting": True}, "execution: a cash account cannot sell short."),
        ({"fees": "ibkr_fixed"}, "execution.fees: must be a mapping, not 'ibkr_fixed'. Write {model: ibkr_fixed}."),
        ({"fees": {"per_share": 1}}, "execution.fees: it names no model. Write model: beside per_share."),
        ({"slippage": {"model": "bps", "bps": [1]}}, "execution.slippage: parameter 'bps' must be a number, text"),
        ({"fills": {"market": "next"}}, "execution.fills.market: must be 'next_open' or 'this_close', not 'next'"),
        ({"fills": {"max_volume_share": 0}}, "execution.fills.max_volume_share: must be greater than 0, not 0"),
        ({"signals": {"BUY": "clos"}}, "execution.signals.BUY: must be 'close', 'ignore' or a target such as {per"),
        (
            {"signals": {"BUY": 10}},
            "execution.signals.BUY: must be 'close', 'ignore' or a target such as {percent: 10}, not 10",
        ),
        ({"signals": {"BUY": {"percnt": 3}}}, "execution.signals.BUY.percnt: unknown key; did you mean 'percent'?"),
        ({"signals": {"BUY": {"percent": 3, "value": 3}}}, "execution.signals.BUY: write one of percent, quantity"),
        ({"signals": {"BUY": {}}}, "execution.signals.BUY: write one of percent, quantity"),
        ({"risk": {"max_position": 3}}, "execution.risk.max_position: unknown key; did you mean 'max_position_perc"),
        ({"risk": {"max_orders_per_minute": 1.5}}, "execution.risk.max_orders_per_minute: must be a valid integer"),
        (
            {"instruments": {"ES": {"multipler": 50}}},
            "execution.instruments.ES.multipler: unknown key; did you mean 'multiplier'?",
        ),
        ({"instruments": {"ES": {"tick": 0}}}, "execution.instruments.ES.tick: must be greater than 0, not 0"),
        ({"maintenance": {"long": 3}}, "execution.maintenance.long: unknown key; did you mean 'long_percent'?"),
        ({"borrow_rate": -1}, "execution.borrow_rate: must be greater than or equal to 0, not -1"),
        ({"risk_free_rate": 2}, "execution.risk_free_rate: must be less than 1, not 2"),
        ({"multiplier": 50}, "execution.multiplier: unknown key here; 'multiplier' belongs in execution.instruments.*"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_remedy(execution: dict[str, Any], told: str) -> None:
    assert problem(execution).startswith(told)


class TestNamesOfStrategies:
    @staticmethod
    def names(*entries: dict[str, Any]) -> list[str | None]:
        return [strategy.name for strategy in config(None, *entries).strategies]

    def test_a_strategy_is_called_as_its_class_and_further_entries_are_numbered(self) -> None:
        x, y = {"module": "a.py:X"}, {"module": "pkg.b:Y"}

        assert self.names(x, y, x, x) == ["X", "Y", "X-2", "X-3"]

    def test_names_of_ones_own_do_not_move_when_entries_are_reordered(self) -> None:
        fast, slow = {"module": "a.py:X", "name": "fast"}, {"module": "a.py:X", "name": "slow"}

        assert self.names(fast, slow) == ["fast", "slow"]
        assert self.names(slow, fast) == ["slow", "fast"]

    @pytest.mark.parametrize("other", [{"module": "a.py:X", "name": "twin"}, {"module": "a.py:twin"}])
    def test_one_name_is_one_strategy(self, other: dict[str, Any]) -> None:
        with pytest.raises(
            InvalidConfigError, match=r"entries 0 and 1 are both called twin\. Give each a name: of its"
        ):
            self.names({"module": "b.py:Y", "name": "twin"}, other)

    def test_a_name_that_no_file_could_have_is_refused(self) -> None:
        with pytest.raises(InvalidConfigError, match=r"strategies\[0\]\.name: 'a/b' cannot be used"):
            self.names({"module": "b.py:Y", "name": "a/b"})
