"""Description of an indicator and of its parameters, and its computation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from openbell.errors import ConfigError, DataError, did_you_mean
from openbell.indicators.inputs import Column, IndicatorInputs, locate, regular_rows
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BeforeFirstBar", "Indicator", "Kernel", "Lookback", "Parameter", "Params", "locate", "regular_rows"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an indicator.

    Attributes:
        name: As written in a config's ``params``.
        default: Its value when none is given.
        type: int, float or str; a str may not have an underscore, which separates the values of a key.
        minimum: The least value allowed; None when there is no bound.
        maximum: The greatest value allowed; None when there is no bound.
        meaning: What it means, with its unit.
        choices: Words that may be written instead of a whole number (``ema`` for a moving-average type).
    """

    name: str
    default: int | float | str
    type: type[int] | type[float] | type[str] = int
    minimum: float | None = None
    maximum: float | None = None
    meaning: str = ""
    choices: Mapping[str, int] = field(default_factory=dict, hash=False)

    def read(self, value: object, where: str) -> int | float | str:
        """Return ``value`` in the parameter's own type.

        Raises:
            ConfigError: It is of another type, out of bounds, or not one of the choices; the message begins with
                ``where``.
        """
        if isinstance(value, str) and self.choices:
            try:
                return self.choices[value.casefold()]
            except KeyError:
                hint = did_you_mean(value, self.choices)
                known = ", ".join(self.choices)
                raise ConfigError(f"{where}: {self.name} has no choice {value!r}.{hint} Choices: {known}.") from None
        if self.type is str and isinstance(value, str):
            return value
        number = self._number(value, where)
        low = self.minimum is not None and number < self.minimum
        high = self.maximum is not None and number > self.maximum
        if low or high or number != number:
            raise ConfigError(f"{where}: {self.name} must be {self._bounds()}, not {value!r}.")
        return number

    def _number(self, value: object, where: str) -> int | float:
        if not isinstance(value, bool) and self.type is not str:
            if isinstance(value, int | float | np.integer | np.floating) and self.type is float:
                return float(value)
            if isinstance(value, int | np.integer) or (isinstance(value, float) and value.is_integer()):
                return int(value)
        wanted = {int: "a whole number", float: "a number", str: "a word"}[self.type]
        raise ConfigError(f"{where}: {self.name} must be {wanted}, not {value!r}.")

    def _bounds(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"{self.minimum:g} or more"
        return f"{self.maximum:g} or less" if self.maximum is not None else "a real number"


Params = Mapping[str, Any]
BeforeFirstBar = Literal["unknown", "known", "stands"]
Kernel = Callable[[IndicatorInputs, Params], Column | Sequence[Column]]


@dataclass(frozen=True, slots=True)
class Lookback:
    """History that an indicator needs for its first valid value.

    Attributes:
        bars: Bars up to and including the one of the value.
        sessions: Complete sessions before the session of the value. An indicator that is aware of sessions also needs
            its own session from the open on.
        minutes: Minutes of its own session that must be over at the close of the bar (opening_range); a bar must end
            with them.
    """

    bars: int
    sessions: int = 0
    minutes: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Indicator:
    """One indicator with its parameters, the history that it needs, and its kernel.

    Attributes:
        name: Lower-case, as in a config and in a key.
        title: Its name for people.
        group: The group that it belongs to, e.g. "Momentum Indicators".
        inputs: The columns of bars that it reads, in order.
        parameters: In the order in which a key has their values.
        kernel: ``(inputs, params) -> column or columns`` in the order of the outputs, each float64 of the length of
            the inputs, NaN where not ready. The value at a row depends on that row and earlier ones only.
        output_names: Names of the outputs; a single one is called "value".
        lookback_of: ``(params) -> Lookback``.
        settling_of: ``(params, tolerance) -> bars``; see `settling`.
        main: The parameter that a config's ``period`` fills; None when no parameter is the main length.
        session_aware: Whether it reads where in a session a row lies, so that its bars must begin at a session's open.
        intraday_only: Whether it has no meaning on bars of a session or longer.
        sparse: Whether it marks events, and so is NaN from the lookback on until the first event.
        partial: Whether it is NaN or infinite where its formula is not defined (a logarithm of 0, a division by 0).
        before_first_bar: The value of a session-aware indicator before its session's first bar: "unknown" (there is
            none yet), "known" (it depends on earlier sessions only, and is that of the session to come), or "stands"
            (its last value still holds).
        annualised: Whether its values are per year, so that it reads `IndicatorInputs.bars_per_year`.
        positive_prices: Whether it divides by prices or takes their logarithm or root; its values that depend on a
            price of 0 or below are then NaN.
        source: Who computes it: "TA-Lib", "openbell", or the package of a plug-in.
        about: Its formula, with the source of that.
    """

    name: str
    title: str
    group: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    kernel: Kernel
    output_names: tuple[str, ...]
    lookback_of: Callable[[Params], Lookback]
    settling_of: Callable[[Params, float], int | None]
    main: str | None = None
    session_aware: bool = False
    intraday_only: bool = False
    sparse: bool = False
    partial: bool = False
    annualised: bool = False
    positive_prices: bool = False
    before_first_bar: BeforeFirstBar = "unknown"
    source: str = "openbell"
    about: str = ""
    is_own: bool = field(init=False)
    """Whether the kernel is openbell's."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_own", (getattr(self.kernel, "__module__", None) or "").startswith("openbell."))

    def resolve(self, period: float | None = None, params: Params | None = None) -> dict[str, Any]:
        """Return all parameters in their declared order, with defaults filled in.

        Args:
            period: The value of the main length (`main`).
            params: By name; names are not case-sensitive.

        Raises:
            ConfigError: A parameter that the indicator does not have or that is given twice, or an invalid value.
        """
        given = {str(name).casefold(): value for name, value in (params or {}).items()}
        names = tuple(p.name for p in self.parameters)
        if "period" in given and "period" not in names:
            if period is not None:
                raise ConfigError(f"indicator {self.name}: period is given twice; write it once.")
            period = given.pop("period")
        if period is not None:
            main = self._main_parameter()
            if main in given:
                raise ConfigError(f"indicator {self.name}: period and {main} are the same; write one of them.")
            given[main] = period
        for name in given:
            if name not in names:
                known = f"It takes {', '.join(names)}." if names else "It takes no parameters."
                raise ConfigError(
                    f"indicator {self.name}: unknown parameter {name!r}.{did_you_mean(name, names)} {known}"
                )
        where = f"indicator {self.name}"
        return {p.name: p.read(given[p.name], where) if p.name in given else p.default for p in self.parameters}

    def _main_parameter(self) -> str:
        if self.main is not None:
            return self.main
        if not self.parameters:
            raise ConfigError(f"indicator {self.name}: it takes no period; leave it out.")
        names = ", ".join(p.name for p in self.parameters)
        raise ConfigError(f"indicator {self.name}: period could mean several; give them by name in params: {names}.")

    def outputs(self, params: Params | None = None) -> tuple[str, ...]:  # noqa: ARG002 - outputs may come to depend on them
        """Return the names of the outputs, "value" for a single one."""
        return self.output_names

    def lookback(self, params: Params) -> Lookback:
        """Return the exact history before the first valid value.

        Raises:
            ConfigError: The parameters are not valid together.
        """
        return _lookback(self, tuple(params.items()))

    def settling(self, params: Params, tolerance: float = 1e-4) -> int | None:
        """Return the bars beyond the lookback until the start of the computation no longer shows.

        Args:
            params: As `resolve` returns them.
            tolerance: How far the value may be from that over endless history, relative to the indicator's usual size
                (an oscillator that crosses zero has no meaningful relative error there).

        Returns:
            Bars beyond the lookback; 0 for an indicator that depends on the bars of its lookback only, None for one
            that never settles, because it counts from the first bar loaded.
        """
        return _settling(self, tuple(params.items()), tolerance)

    def check_interval(self, interval: str, params: Params | None = None) -> None:
        """Check that the indicator has a meaning on bars of an interval.

        Args:
            interval: The interval of the bars.
            params: As `resolve` returns them; without them, only the interval is checked.

        Raises:
            ConfigError: It needs intraday bars, or no bar ends together with the first minutes of the session that it
                measures.
        """
        bars = parse_interval(interval)
        if self.intraday_only and not bars.is_intraday:
            raise ConfigError(f"{self.name} needs intraday bars, and {interval} bars are not; use 1m or 5m, say.")
        minutes = 0 if params is None else self.lookback(params).minutes
        if bars.is_intraday and minutes * 60 % bars.seconds:
            raise ConfigError(
                f"{self.name} is about the first {minutes} minutes of a session, and no {interval} bar ends with them; "
                "use 1m bars, say, or other minutes."
            )

    def compute(self, inputs: IndicatorInputs, params: Params) -> dict[str, Column]:
        """Compute a column per output, by name, as long as ``inputs`` and NaN where not ready.

        Args:
            inputs: The bars.
            params: As `resolve` returns them.
        """
        prices = [getattr(inputs, name) for name in self.inputs if name != "volume"] if self.positive_prices else []
        # In the usual case the lowest price decides; it is NaN where any price is.
        if not len(inputs) or all(price.item(price.argmin()) > 0 for price in prices):
            return self._computed(inputs, params)
        with np.errstate(all="ignore"):
            columns = self._computed(inputs, params)
        reached = self._reached_by(np.any([price <= 0 for price in prices], axis=0), inputs.session, params)
        return {name: np.where(reached, np.nan, column) for name, column in columns.items()}

    def _computed(self, inputs: IndicatorInputs, params: Params) -> dict[str, Column]:
        result = self.kernel(inputs, params)
        columns = (result,) if isinstance(result, np.ndarray) else result
        named = dict(zip(self.output_names, columns, strict=True))
        return named if self.is_own else {name: self._checked(name, c, len(inputs)) for name, c in named.items()}

    def _checked(self, name: str, column: Column, rows: int) -> Column:
        """Return a column of a kernel that is not openbell's, as float64.

        Raises:
            DataError: It is not a column of real numbers that is as long as the bars.
        """
        found = np.asarray(column)
        if found.shape != (rows,) or found.dtype.kind not in "fiub":
            raise DataError(
                f"{self.name} computed its {name} of {rows:,} bars as {found.dtype} of shape {found.shape}. A kernel "
                "returns for each output an array of float64 with a row per bar."
            )
        return found.astype(np.float64, copy=False)

    def _reached_by(self, bad: NDArray[np.bool_], session: NDArray[np.int64], params: Params) -> NDArray[np.bool_]:
        """Return a mask of the rows whose values depend on a row that is marked in ``bad``."""
        need, settling = self.lookback(params), self.settling(params)
        if settling is None:  # every later value depends on it
            return np.maximum.accumulate(bad)
        rows = np.arange(len(bad))
        last = np.maximum.accumulate(np.where(bad, rows, -1))
        reached = (last >= 0) & (rows - last < need.bars + settling)
        if need.sessions:
            number = np.cumsum(np.diff(session, prepend=session[:1]) != 0)
            reached |= (last >= 0) & (number - number[np.maximum(last, 0)] <= need.sessions)
        return np.asarray(reached, np.bool_)

    def ready(self, inputs: IndicatorInputs, params: Params) -> NDArray[np.bool_]:
        """Return per row whether the lookback is met there (bool).

        The first session is taken as complete, so its bars must begin at the open.
        """
        need = self.lookback(params)
        rows = np.arange(len(inputs)) + 1 >= need.bars
        if need.sessions:
            begins = np.diff(inputs.session, prepend=inputs.session[:1]) != 0
            rows &= np.cumsum(begins) >= need.sessions
        if need.minutes:
            rows &= inputs.end_offset_ns >= need.minutes * 60_000_000_000
        return rows


@lru_cache(maxsize=8192)
def _lookback(indicator: Indicator, items: tuple[tuple[str, Any], ...]) -> Lookback:
    return indicator.lookback_of(dict(items))


@lru_cache(maxsize=8192)
def _settling(indicator: Indicator, items: tuple[tuple[str, Any], ...], tolerance: float) -> int | None:
    if not 0 < tolerance < 1:
        raise ConfigError(f"a settling tolerance must lie between 0 and 1, not {tolerance!r}; 1e-4 is the default.")
    return indicator.settling_of(dict(items), tolerance)
