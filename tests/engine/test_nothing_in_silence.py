"""What can only be a mistake is refused or reported: nothing subscribed, unknown symbols, scans that find nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openbell.components.strategy import Signal
from openbell.engine.system import SystemManager
from openbell.errors import ComponentError, ConfigError
from openbell.testing import probe_strategy
from probes import config_of, engine, local_time

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("method", ["on_bar", "on_slice"])
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("", "Define subscriptions"),
        ("    def subscription(self):\n        return []\n", "Did you mean 'subscriptions'"),
    ],
)
def test_a_strategy_that_subscribes_to_nothing_is_refused_before_the_run(
    minute_store: Path, tmp_path: Path, method: str, more: str, words: str
) -> None:
    source = (
        f"from openbell import Strategy\nclass Idle(Strategy):\n    def {method}(self, bars):\n        pass\n{more}"
    )
    (tmp_path / "idle.py").write_text(source, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"defines {method}, and subscribes to no bars. {words}"):
        engine(minute_store, strategies=[{"module": f"{tmp_path / 'idle.py'}:Idle"}])


def test_a_strategy_whose_subscriptions_are_always_empty_is_reported(minute_store: Path) -> None:
    days = ("2013-10-10", "2013-10-11")
    idle = probe_strategy(subscriptions=[])
    late = probe_strategy(subscriptions=lambda self: [("SPY", "1m")] if self.context.session_date.day == 11 else [])

    assert [w for w in engine(minute_store, days=days, strategies=[idle]).run().warnings if "never called" in w] == [
        "strategy ProbeStrategy was never called: its subscriptions() returned nothing in any session"
    ]
    assert not [w for w in engine(minute_store, days=days, strategies=[late]).run().warnings if "never called" in w]


def test_a_signal_for_a_symbol_that_nobody_added_is_an_error_with_the_nearest(minute_store: Path) -> None:
    strategy = probe_strategy(subscriptions=[("SPY", "5m")], on_bar=lambda self, bar: Signal("SYP", "BUY"))
    with pytest.raises(ComponentError, match=r"a signal for 'SYP', which is not in the session\. Did you mean 'SPY'"):
        engine(minute_store, strategies=[strategy]).run()


def test_a_signal_for_a_symbol_that_was_removed_at_that_time_is_accepted(minute_store: Path) -> None:
    def on_bar(self: Any, bar: Any) -> Signal | None:
        if local_time(self.context) != "10:00":
            return None
        self.context.add_symbol("AIG")
        self.context.remove_symbol("AIG")
        return Signal("AIG", "SELL")

    strategy = probe_strategy(subscriptions=[("SPY", "5m")], on_bar=on_bar)
    (signal,) = engine(minute_store, strategies=[strategy]).run().days[0].signals
    assert signal.symbol == "AIG"


def test_warm_does_not_advise_warm_and_says_it_once_for_all_symbols(minute_store: Path) -> None:
    keys = config_of(symbols=["SPY", "AIG"], indicators=[{"name": "sma", "period": 9000, "interval": "5m"}])
    keys["session_data_config"]["on_shortfall"] = "warm"
    day = SystemManager(keys, store=minute_store).run().days[0]
    warnings = {text for record in day.provisioning for text in record.warnings if "needs 9000 bars" in text}
    assert len(warnings) == 1
    (warning,) = warnings
    assert "warm" not in warning.replace("warm-up", "")
    assert warning.endswith("it is not valid until it has enough")
