"""TA-Lib's whole function list as indicators under its usual names.

Names, titles, groups, inputs, parameters with their bounds, outputs and lookbacks are read from TA-Lib itself
(https://ta-lib.org); only the settling lengths of recursive functions are openbell's (`talib_settling`).

Measured against TA-Lib 0.8: every function is causal, and its result on a prefix is bit for bit the prefix of its
result on the whole. Functions that keep running sums are computed by openbell (`talib_windowed`, `talib_recursive`,
`talib_cycles`), and candles in whole ticks, because a running sum keeps rounding errors of values that have left it.
"""

from __future__ import annotations

import inspect
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from openbell.errors import ConfigError
from openbell.indicators.indicator import Indicator, Kernel, Lookback, Parameter, Params
from openbell.indicators.talib_averages import DEFAULT_TYPE
from openbell.indicators.talib_candles import candle_kernel
from openbell.indicators.talib_cycles import CYCLES
from openbell.indicators.talib_module import talib_module
from openbell.indicators.talib_recursive import RECURSIVE_OVER_WINDOWS
from openbell.indicators.talib_settling import settling_of
from openbell.indicators.talib_windowed import WINDOWED

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.indicators.inputs import Column, IndicatorInputs

__all__ = ["talib_function", "talib_indicators"]

_RENAMED = {"VWAP": "vwap_cumulative"}
"""TA-Lib's VWAP counts from the first bar loaded; the name ``vwap`` belongs to the one anchored to the session."""

_COMPUTED_HERE = {**WINDOWED, **RECURSIVE_OVER_WINDOWS, **CYCLES}

_OF_POSITIVE_PRICES = frozenset((
    "ACCBANDS", "BETA", "COPPOCK", "FOSC", "LN", "LOG10", "MFI", "NATR", "NVI", "PPO", "PVI", "PVT", "ROC", "ROCP",
    "ROCR", "ROCR100", "SAREXT", "SQRT", "TRIX",
))  # fmt: skip
"""Functions that divide by prices, take their logarithm or root, or give the sign of a price another meaning."""

_PATH_DEPENDENT = "Output is path-dependent"
_PARTIAL = "Output can be NaN or infinite"


@cache
def talib_function(name: str) -> Callable[..., Any]:
    """Return TA-Lib's own function on NumPy columns."""
    # Without TA-Lib's wrapper, which looks for frames among the arguments at every call.
    function: Callable[..., Any] = inspect.unwrap(getattr(talib_module(), name))
    return function


def talib_indicators() -> dict[str, Callable[[], Indicator]]:
    """Return by name a function that describes each of TA-Lib's functions as an indicator."""
    functions: list[str] = talib_module().get_functions()
    return {_RENAMED.get(function, function.lower()): partial(_indicator, function) for function in functions}


def _indicator(name: str) -> Indicator:
    info = _abstract(name).info
    inputs = tuple(c for given in info["input_names"].values() for c in (given if isinstance(given, list) else [given]))
    parameters = tuple(_parameter(name, n, default) for n, default in info["parameters"].items())
    outputs = tuple(info["output_names"])
    flags = info["function_flags"]
    is_mavp = name == "MAVP"
    return Indicator(
        name=_RENAMED.get(name, name.lower()),
        title=info["display_name"],
        group=info["group"],
        inputs=("close",) if is_mavp else inputs,
        parameters=parameters,
        kernel=_mavp() if is_mavp else _kernel(name, inputs),
        output_names=outputs if len(outputs) > 1 else ("value",),
        lookback_of=_lookback(name, extra=_lookback("HT_DCPERIOD")({}).bars - 1 if is_mavp else 0),
        settling_of=settling_of(name, _PATH_DEPENDENT in flags, info["parameters"]),
        main=_main(parameters),
        partial=_PARTIAL in flags,
        positive_prices=name in _OF_POSITIVE_PRICES,
        source="TA-Lib",
        about=_ABOUT.get(name, f"TA-Lib's {name}; see https://ta-lib.org/functions/"),
    )


_ABOUT = {
    "MAVP": "Its periods are the dominant cycle's (ht_dcperiod), cut to whole numbers from minperiod to maxperiod.",
    "MAXINDEX": "The row of the highest value, counted from the first bar loaded.",
    "MININDEX": "The row of the lowest value, counted from the first bar loaded.",
    "MINMAXINDEX": "The rows of the lowest and the highest value, counted from the first bar loaded.",
    "VWAP": "Counted from the first bar loaded; vwap begins afresh at each session's open.",
}


def _main(parameters: tuple[Parameter, ...]) -> str | None:
    """Return ``timeperiod``, or else the only parameter that is a period, or None."""
    periods = [p.name for p in parameters if p.name.endswith("period")]
    return "timeperiod" if "timeperiod" in periods else periods[0] if len(periods) == 1 else None


def _kernel(name: str, inputs: tuple[str, ...]) -> Kernel:
    if name in _COMPUTED_HERE:
        return _computed_here(name, inputs)
    if name.startswith("CDL"):
        return candle_kernel(talib_function(name), _lookback(name))
    function = talib_function(name)
    lookback = _lookback(name)

    def kernel(bars: IndicatorInputs, params: Params) -> Column | list[Column]:
        result = function(*[getattr(bars, column) for column in inputs], **params)
        if type(result) is not tuple:
            return result if result.dtype == np.float64 else _real(result, lookback(params).bars)
        return [r if r.dtype == np.float64 else _real(r, lookback(params).bars) for r in result]

    return kernel


def _computed_here(name: str, inputs: tuple[str, ...]) -> Kernel:
    computed = _COMPUTED_HERE[name]
    types = {n: default for n, default in _abstract(name).info["parameters"].items() if "matype" in n}

    def kernel(bars: IndicatorInputs, params: Params) -> Column | tuple[Column, ...]:
        if types:
            params = {n: types[n] if n in types and value == DEFAULT_TYPE else value for n, value in params.items()}
        return computed(*[getattr(bars, column) for column in inputs], params)

    return kernel


def _real(whole_numbers: np.ndarray[Any, Any], bars: int) -> Column:
    """Convert whole numbers to float64, with NaN where TA-Lib has 0 because it is not ready."""
    column = whole_numbers.astype(np.float64)
    column[: bars - 1] = np.nan
    return column


def _mavp() -> Kernel:
    mavp, dominant_cycle = WINDOWED["MAVP"], CYCLES["HT_DCPERIOD"]
    unready = _lookback("HT_DCPERIOD")({}).bars - 1

    def kernel(bars: IndicatorInputs, params: Params) -> Column:
        column = np.full(len(bars), np.nan)
        column[unready:] = mavp(bars.close[unready:], dominant_cycle(bars.close, params)[unready:], params)
        return column

    return kernel


def _lookback(name: str, extra: int = 0) -> Callable[[Params], Lookback]:
    """Return a function from parameters to the lookback."""
    # TA-Lib's lookback is the index of the first valid row, so one more bar is needed.

    def lookback(params: Params) -> Lookback:
        index = _abstract_lookback(name, params)
        if index < 0:
            values = ", ".join(f"{n}={v}" for n, v in params.items())
            raise ConfigError(f"indicator {name.lower()}: TA-Lib does not take these parameters together: {values}.")
        return Lookback(index + 1 + extra)

    return lookback


def _abstract_lookback(name: str, params: Params) -> int:
    function = _abstract(name)
    function.set_parameters(dict(params))
    return int(function.lookback)


def _abstract(name: str) -> Any:
    """Return TA-Lib's description of a function."""
    # A new one each time, because parameters are set on it. talib.abstract does the same, but its import describes all
    # functions.
    talib_module()
    from talib._ta_lib import Function  # type: ignore[attr-defined]  # there, but not listed for type checkers

    return Function(name, talib_function(name))


def _parameter(function: str, name: str, default: float) -> Parameter:
    """Return a parameter with its bounds."""
    # TA-Lib does not list bounds, but refuses values outside them, so values are tried.

    def first_taken(candidates: tuple[float, ...]) -> float | None:
        return next((v for v in candidates if _abstract_lookback(function, {name: v}) >= 0), None)

    if isinstance(default, int):
        choices = _moving_averages() if "matype" in name else {}
        low = first_taken((-1_000_000, 0, 1, 2, 3))
        high = max(choices.values()) if choices else first_taken((10_000_000, 100_000))
        meaning = "type of moving average" if choices else "bars" if name.endswith("period") else ""
        return Parameter(name, default, int, low, high, meaning, choices)
    low, high = first_taken((-1e30, 0.0, 0.01, 1.0)), first_taken((1e30, 100.0, 1.0, 0.99))
    return Parameter(name, default, float, None if low == -1e30 else low, None if high == 1e30 else high)


def _moving_averages() -> dict[str, int]:
    """Return the numbers of TA-Lib's types of moving averages, by lower-case name."""
    types = vars(type(talib_module().MA_Type))
    return {name.lower(): number for name, number in types.items() if name.isupper() and isinstance(number, int)}
