"""Settling lengths of TA-Lib's recursive functions, which TA-Lib itself does not state.

Each entry follows from the averages in the function's definition (https://ta-lib.org/functions/). Functions whose
memory depends on the data have a bound that was measured: the longest memory that was seen from thousands of starting
points on random walks with the volatility of 5-minute bars, times two or more; the tests measure it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, log, sqrt

from openbell.indicators.indicator import Params
from openbell.indicators.settling import OSCILLATOR, ema_bars, forgetting_bars, wilder_bars

__all__ = ["CUMULATIVE", "RECURSIVE", "settling_of"]

Settling = Callable[[Params, float], int | None]

CUMULATIVE = frozenset(
    {"AD", "CUMSUM", "NVI", "OBV", "PVI", "PVT", "VWAP", "WAD"} | {"MAXINDEX", "MININDEX", "MINMAXINDEX"}
)
"""Functions that count from the first bar loaded: sums over all bars, and indexes of rows."""

_EMA, _DEMA, _TEMA, _KAMA, _MAMA, _T3, _DEFAULT, _ZLEMA, _RMA = 1, 3, 4, 6, 7, 8, 11, 12, 13
_MAMA_LIMITS = {"fastlimit": 0.5, "slowlimit": 0.05}


def settling_of(function: str, path_dependent: bool, default_params: Params) -> Settling:
    """Return the settling of a TA-Lib function, as ``(params, tolerance) -> bars or None``.

    None means that it never settles.

    Args:
        function: Its name, in upper case.
        path_dependent: Whether TA-Lib flags its output as path-dependent; such a function without an entry in
            `RECURSIVE` never settles.
        default_params: Its parameters with their defaults, which replace moving averages of type 11 ("default").
    """
    model = RECURSIVE.get(function)
    if model is None:
        never = path_dependent or function in CUMULATIVE
        return lambda _params, _tolerance: None if never else 0

    def settling(params: Params, tolerance: float) -> int | None:
        types = {name: default_params[name] for name, value in params.items() if "matype" in name and value == _DEFAULT}
        return model({**params, **types}, tolerance)

    return settling


def _average(matype: int, period: int, tolerance: float, *, of_price: bool = False) -> int:
    """Return the settling of a moving average by TA-Lib's type number, 0 for averages over a window."""
    if matype in (_EMA, _ZLEMA):
        return ema_bars(period, tolerance)
    if matype in (_DEMA, _TEMA):
        return ema_bars(period, tolerance, stages=2 if matype == _DEMA else 3)
    if matype == _RMA:
        return wilder_bars(period, tolerance)
    if matype == _T3:
        return ema_bars(period, tolerance, stages=6)
    if matype == _KAMA:
        return _kama(period, tolerance, of_price=of_price)
    return _mama(_MAMA_LIMITS, tolerance) if matype == _MAMA else 0


def _kama(period: int, tolerance: float, *, of_price: bool = True) -> int:
    """Return the settling of KAMA.

    Its alpha follows the efficiency ratio. That of a random walk is about 0.8 / sqrt(period); 0.5 / sqrt(period) is
    taken, to be safe. Columns that do not wander as prices do (volumes, oscillators) may have a ratio of 0.
    """
    slow, fast = 2 / 31, 2 / 3
    efficiency = min(1, 0.5 / sqrt(period)) if of_price else 0.0
    return forgetting_bars((efficiency * (fast - slow) + slow) ** 2, tolerance)


def _hilbert(tolerance: float) -> int:
    # The dominant cycle feeds back on itself; the longest memory seen was 230 bars at a tolerance of 1e-4.
    return ceil(50 * log(1 / tolerance))


def _mama(params: Params, tolerance: float) -> int:
    # The phase settles as the Hilbert transform does; MAMA's slowest alpha is slowlimit, and FAMA's half of that.
    slowest = float(min(params["fastlimit"], params["slowlimit"]))
    return max(_hilbert(tolerance), forgetting_bars(slowest / 2, tolerance, stages=2))


def _parabolic(*accelerations: float) -> int | None:
    # Two computations agree from a common reversal on; the longest wait seen was 100 bars at an acceleration of 0.02.
    slowest = min(accelerations)
    return ceil(6 / slowest) if slowest > 0 else None


def _mavp(p: Params, tolerance: float) -> int:
    # Its periods are the dominant cycle's, cut to whole numbers, which must come out the same.
    return _hilbert(tolerance * OSCILLATOR) + _average(p["matype"], p["maxperiod"], tolerance, of_price=True)


def _supertrend(params: Params, tolerance: float) -> int:
    # ATR settles, then both computations must meet at a turn; the longest wait seen was 35 bars per range of distance.
    distance = max(1.0, float(params["multiplier"]))
    return wilder_bars(params["timeperiod"], tolerance) + ceil(60 * distance)


def _price_ema(*names: str, stages: int = 1) -> Settling:
    """Return the settling of an average of prices, by the slowest of the periods named."""
    return lambda p, tolerance: ema_bars(max(p[n] for n in names), tolerance, stages)


def _ema(*names: str, stages: int = 1) -> Settling:
    """Return the settling of an oscillator of exponential averages, by the slowest of the periods named."""
    return lambda p, tolerance: ema_bars(max(p[n] for n in names), tolerance * OSCILLATOR, stages)


def _wilder(stages: int = 1) -> Settling:
    """Return the settling of an oscillator of Wilder's averages over ``timeperiod``."""
    return lambda p, tolerance: wilder_bars(p["timeperiod"], tolerance * OSCILLATOR, stages)


def _typed(*pairs: tuple[str, str]) -> Settling:
    """Return the settling of averages of chosen types over an oscillator, one after another.

    Each is given by the names of the parameters for its type and its period.
    """
    return lambda p, tolerance: sum(_average(p[kind], p[period], tolerance * OSCILLATOR) for kind, period in pairs)


def _macdext(p: Params, tolerance: float) -> int:
    near = tolerance * OSCILLATOR
    lines = (_average(p[f"{line}matype"], p[f"{line}period"], near, of_price=True) for line in ("fast", "slow"))
    return max(lines) + _average(p["signalmatype"], p["signalperiod"], near)


def _stochrsi(p: Params, tolerance: float) -> int:
    near = tolerance * OSCILLATOR
    return wilder_bars(p["timeperiod"], near) + _average(p["fastd_matype"], p["fastd_period"], near)


def _keltner(p: Params, tolerance: float) -> int:
    return max(ema_bars(p["timeperiod"], tolerance), wilder_bars(p["atrperiod"], tolerance))


def _sarext(p: Params, _tolerance: float) -> int | None:
    # An offset at each reversal keeps two computations apart; a start value takes a reversal or two to be forgotten.
    if p["offsetonreverse"] > 0:
        return None
    bars = _parabolic(*(p[f"acceleration{kind}{side}"] for kind in ("init", "max", "") for side in ("long", "short")))
    return 2 * bars if bars is not None and p["startvalue"] else bars


def _two_lines(*, of_price: bool) -> Settling:
    """Return the settling of the difference or ratio of a fast and a slow average of a chosen type."""

    def settling(p: Params, tolerance: float) -> int:
        near = tolerance * OSCILLATOR
        return max(_average(p["matype"], p[n], near, of_price=of_price) for n in ("fastperiod", "slowperiod"))

    return settling


def _average_of_price(scale: float = 1.0) -> Settling:
    """Return the settling of an average of prices of a chosen type."""
    return lambda p, tolerance: _average(p["matype"], p["timeperiod"], tolerance * scale, of_price=True)


RECURSIVE: Mapping[str, Settling] = {
    # Averages of prices
    "EMA": _price_ema("timeperiod"),
    "DEMA": _price_ema("timeperiod", stages=2),
    "TEMA": _price_ema("timeperiod", stages=3),
    "T3": _price_ema("timeperiod", stages=6),
    "ZLEMA": _price_ema("timeperiod"),
    "RMA": lambda p, tolerance: wilder_bars(p["timeperiod"], tolerance),
    "KAMA": lambda p, tolerance: _kama(p["timeperiod"], tolerance),
    "MAMA": _mama,
    "MA": _average_of_price(),
    "BBANDS": _average_of_price(OSCILLATOR),
    "KC": _keltner,
    "HA": lambda _p, tolerance: forgetting_bars(0.5, tolerance),
    "MAVP": _mavp,
    # Oscillators of exponential averages
    "APO": _two_lines(of_price=True),
    "PPO": _two_lines(of_price=True),
    "PVO": _two_lines(of_price=False),
    "MACD": _ema("fastperiod", "slowperiod", "signalperiod", stages=2),
    "MACDFIX": lambda p, tolerance: ema_bars(max(26, p["signalperiod"]), tolerance * OSCILLATOR, stages=2),
    "MACDEXT": _macdext,
    "TRIX": _ema("timeperiod", stages=3),
    "TSI": _ema("firstperiod", "secondperiod", stages=2),
    "SMI": _ema("fastperiod", "slowperiod", "signalperiod", stages=3),
    "ERI": _ema("timeperiod"),
    "EFI": _ema("timeperiod"),
    "CVI": _ema("timeperiod"),
    "MASSI": _ema("fastperiod", stages=2),
    "ADOSC": _ema("fastperiod", "slowperiod"),
    # Oscillators of Wilder's averages
    "RSI": _wilder(),
    "CMO": _wilder(),
    "ATR": _wilder(),
    "NATR": _wilder(),
    "PLUS_DM": _wilder(),
    "MINUS_DM": _wilder(),
    "PLUS_DI": _wilder(),
    "MINUS_DI": _wilder(),
    "DX": _wilder(),
    "ADX": _wilder(stages=2),
    "ADXR": _wilder(stages=2),
    "RVI": _wilder(),
    # Stochastics with averages of a chosen type
    "STOCH": _typed(("slowk_matype", "slowk_period"), ("slowd_matype", "slowd_period")),
    "STOCHF": _typed(("fastd_matype", "fastd_period")),
    "KDJ": _typed(("slowk_matype", "slowk_period"), ("slowd_matype", "slowd_period")),
    "STOCHRSI": _stochrsi,
    # Those that switch between states, and the Hilbert transform
    "SAR": lambda p, _tolerance: _parabolic(p["acceleration"], p["maximum"]),
    "SAREXT": _sarext,
    "SUPERTREND": _supertrend,
    "HT_DCPERIOD": lambda _p, tolerance: _hilbert(tolerance),
    "HT_DCPHASE": lambda _p, tolerance: _hilbert(tolerance),
    "HT_PHASOR": lambda _p, tolerance: _hilbert(tolerance),
    "HT_SINE": lambda _p, tolerance: _hilbert(tolerance),
    "HT_TRENDLINE": lambda _p, tolerance: _hilbert(tolerance),
    "HT_TRENDMODE": lambda _p, tolerance: _hilbert(tolerance),
}
"""The settling of TA-Lib's recursive functions, by name."""
