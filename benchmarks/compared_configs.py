"""Configs of `compare_runs`: each by its name, with the store that it runs on."""

from __future__ import annotations

from typing import Any, NamedTuple

MINUTES, SECONDS = "minutes", "seconds"
SYMBOLS = ["SPY", "IBM", "AIG", "BAC"]


class Compared(NamedTuple):
    """A config and its store.

    Attributes:
        store: The name of a store.
        config: What the config file holds.
        changed: Why its runs differ on purpose; empty when they must not.
    """

    store: str
    config: dict[str, Any]
    changed: str = ""


def config(
    symbols: list[str],
    first: str,
    last: str,
    *,
    scanners: list[Any] | None = None,
    strategies: list[Any] | None = None,
    trailing: dict[str, int] | None = None,
    **session_data: Any,
) -> dict[str, Any]:
    """A config as its file holds it; ``trailing`` is sessions of history by interval."""
    history = [{"trailing_days": days, "intervals": [interval]} for interval, days in (trailing or {}).items()]
    historical = {"data": history, "gap_fill": session_data.pop("gap_fill", False)}
    return {
        "session_name": "compared",
        "exchange": "XNYS",
        "backtest_config": {"start_date": first, "end_date": last},
        "session_data_config": {"symbols": symbols, "historical": historical, **session_data},
        "scanners": scanners or [],
        "strategies": strategies or [],
    }


def indicator(name: str, interval: str, period: int | None = None) -> dict[str, Any]:
    """An entry of the indicators of a config."""
    return {"name": name, "interval": interval} | ({} if period is None else {"period": period})


def configs(examples: dict[str, str], every_indicator: list[str]) -> dict[str, Compared]:
    """All configs.

    Args:
        examples: The references of the two examples that openbell brings, by the name of their class.
        every_indicator: The names of all indicators.
    """
    week = ("2013-10-09", "2013-10-11")
    cross = {"module": examples["EmaCross"], "config": {"fast": 5, "slow": 12}}
    gap = {
        "module": examples["Gap"], "config": {"min_percent": 0.01, "most": 2}, "universe": ["IBM", "AIG", "BAC", "NO"],
        "schedule": [{"start": "09:35", "end": "15:35", "every": "60m"}],
    }  # fmt: skip
    movers = {
        "module": "compared_components.py:Movers", "universe": ["IBM", "AIG", "BAC"], "pre_session": True,
        "schedule": [{"start": "10:00", "end": "15:55", "every": "5m"}],
    }  # fmt: skip
    named = [
        *(indicator("sma", "5m", 20), indicator("ema", "1m", 9), indicator("rsi", "5m", 14), indicator("macd", "15m")),
        *(indicator("bbands", "5m", 20), indicator("vwap", "1m"), indicator("atr", "1d", 14), indicator("gap", "1m")),
    ]
    closes = {"module": "compared_components.py:Closes"}
    fill = {"1m": "forward", "IBM": {"5m": "none", "default": "forward"}}
    history = {"1m": 3, "5m": 2, "1d": 30}
    split = {"trailing": {"1d": 60}, "streams": ["1d", "1w"], "indicators": [indicator("sma", "1d", 50)]}
    watch_days = {**closes, "config": {"symbols": ["AIG"], "intervals": ["1d", "1w"]}}
    return {
        "minutes": Compared(MINUTES, config(
            [*SYMBOLS, "NOPE"], *week, streams=["1m", "5m", "15m", "60m"], trailing=history, indicators=named,
            strategies=[cross],
        )),
        "mid_session": Compared(MINUTES, config(
            ["SPY"], *week, streams=["1m", "5m"], trailing=history, indicators=named[:4],
            strategies=[{"module": "compared_components.py:Busy"}, cross],
        )),
        "scanners": Compared(MINUTES, config(
            ["SPY"], *week, streams=["1m", "5m"], trailing={"1d": 5}, scanners=[gap, movers], strategies=[cross],
        )),
        "slices": Compared(MINUTES, config(
            SYMBOLS, *week, streams=["1m", "5m"], strategies=[{"module": "compared_components.py:Slices"}],
        )),
        "every_indicator": Compared(MINUTES, config(
            ["SPY", "AIG"], "2013-10-10", "2013-10-10", streams=["1m", "5m"], on_shortfall="warm",
            indicators=[indicator(name, "5m") for name in every_indicator],
        )),
        "gap_policy": Compared(MINUTES, config(
            SYMBOLS, *week, streams=["1m", "5m"], session_hours="extended", gap_policy=fill, trailing={"1m": 1},
            indicators=named[:4], strategies=[{**closes, "config": {"symbols": ["AIG", "IBM"], "intervals": ["5m"]}}],
        )),
        "gap_policy_seen": Compared(MINUTES, config(
            SYMBOLS, *week, streams=["1m", "5m"], session_hours="extended", gap_policy="forward", trailing={"1m": 1},
            indicators=named[:4], indicators_see_filled=True,
        )),
        "extended_hours": Compared(MINUTES, config(
            SYMBOLS, *week, streams=["1m", "15m"], session_hours="extended", trailing={"1m": 2}, indicators=named[:1],
            strategies=[{**closes, "config": {"symbols": ["SPY"], "intervals": ["15m"]}}],
        )),
        "whole_bars_only": Compared(MINUTES, config(
            SYMBOLS, *week, streams=["1m", "5m"], trailing=history, min_completeness=1.0, min_quality=99.5,
        )),
        "seconds": Compared(SECONDS, config(
            ["SPY", "AIG", "BAC"], "2013-10-08", "2013-10-09", streams=["1s", "10s", "1m"], trailing={"1s": 1},
            indicators=[indicator("ema", "1s", 30), indicator("rsi", "1m", 14)],
            strategies=[{**closes, "config": {"symbols": ["SPY"], "intervals": ["10s", "1m"]}}],
        )),
        "gap_fill": Compared("both", config(
            ["SPY", "AIG"], "2013-10-08", "2013-10-09", streams=["1m", "5m"], trailing={"1m": 1, "1d": 2},
            gap_fill=True,
        )),
        **{
            f"actions_{basis}": Compared(MINUTES, config(
                ["AIG"], "2009-06-26", "2009-07-07", adjustment=basis, strategies=[watch_days], **split
            ))
            for basis in ("raw", "split", "total")
        },
        "months_of_days": Compared(MINUTES, config(
            [*SYMBOLS, "QQQ", "EEM"], "2013-07-01", "2013-10-11", streams=["1d"], trailing={"1d": 250},
            indicators=[indicator("sma", "1d", 200)],
            strategies=[{"module": examples["EmaCross"], "config": {"fast": 10, "slow": 50, "interval": "1d"}}],
        )),
        "all_refused": Compared(MINUTES, config(["NOPE", "NADA"], *week)),
        "no_bars_before_the_day": Compared(SECONDS, config(
            ["AIG", "SPY"], "2013-10-04", "2013-10-07", streams=["1s", "1m"], strategies=[
                {**closes, "config": {"symbols": ["AIG"], "intervals": ["1m"]}}
            ],
        ), "validation looks at no bar that begins after the session clock"),
    }  # fmt: skip
