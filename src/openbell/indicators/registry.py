"""Registry of indicators, each loaded when first needed, and keys such as ``sma_20_5m``."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points
from inspect import cleandoc
from threading import RLock
from typing import TYPE_CHECKING, Any

from openbell.errors import ConfigError, IntervalError, UnknownNameError
from openbell.indicators.indicator import BeforeFirstBar, Indicator, Kernel, Lookback, Parameter, Params
from openbell.indicators.inputs import IndicatorInputs
from openbell.model.bars import PRICE_COLUMNS
from openbell.model.interval import parse_interval
from openbell.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "ENTRY_POINT_GROUP",
    "REGISTRY",
    "Indicator",
    "IndicatorInputs",
    "Lookback",
    "Parameter",
    "canonical_key",
    "get",
    "key",
    "names",
    "parse_key",
    "register",
]

ENTRY_POINT_GROUP = "openbell.indicators"
"""The Python entry point group of plug-ins: each entry is an `Indicator`, or a module that registers some."""

_LOADING = RLock()
_loaded: set[str] = set()


class _Indicators(Registry[Indicator]):
    """Registry of indicators, of which some are known only by name until first requested."""

    def __init__(self) -> None:
        super().__init__("indicator")
        self._described_later: dict[str, Callable[[], Indicator]] = {}

    def add(self, name: str, item: Indicator) -> Indicator:
        if name in self._described_later:
            raise ConfigError(f"the {self.kind} {name!r} is registered already")
        return super().add(name, item)

    def add_later(self, name: str, describe: Callable[[], Indicator]) -> None:
        """Register what ``describe`` returns, unless the name is taken."""
        if name not in self:
            self._described_later[name] = describe

    def get(self, name: str) -> Indicator:
        if name not in self:
            raise UnknownNameError(self.kind, name, self.names())
        if name not in self._items:
            with _LOADING:
                if name not in self._items:
                    self._items[name] = self._described_later[name]()
        return self._items[name]

    def remove(self, name: str) -> None:
        super().remove(name)
        self._described_later.pop(name, None)

    def names(self) -> tuple[str, ...]:
        return tuple({**self._items, **self._described_later})

    def __contains__(self, name: str) -> bool:
        return name in self._items or name in self._described_later

    def __iter__(self) -> Iterator[Indicator]:
        return map(self.get, self.names())

    def __len__(self) -> int:
        return len(self.names())


REGISTRY = _Indicators()
"""All indicators loaded so far, by lower-case name; `get` and `names` load the rest."""


def get(name: str) -> Indicator:
    """Return the indicator called ``name``, in upper or lower case.

    Raises:
        UnknownNameError: Neither openbell, TA-Lib nor a plug-in has it; the message names the nearest.
    """
    wanted = name.casefold()
    if wanted not in REGISTRY:
        _load_talib()
    if wanted not in REGISTRY:
        _load_plugins()
    return REGISTRY.get(wanted)


def names() -> tuple[str, ...]:
    """List the names of all indicators, those of plug-ins included, in alphabetical order."""
    _load_talib()
    _load_plugins()
    return tuple(sorted(REGISTRY.names()))


def register(
    name: str,
    *,
    title: str,
    inputs: Sequence[str],
    lookback: int | Lookback | Callable[[Params], int | Lookback],
    parameters: Sequence[Parameter] = (),
    outputs: Sequence[str] = ("value",),
    settling: int | Callable[[Params, float], int | None] | None = 0,
    main: str | None = None,
    group: str = "Own Indicators",
    session_aware: bool = False,
    intraday_only: bool = False,
    sparse: bool = False,
    partial: bool = False,
    annualised: bool = False,
    positive_prices: bool = False,
    before_first_bar: BeforeFirstBar = "unknown",
    source: str = "openbell",
) -> Callable[[Kernel], Kernel]:
    """Register the decorated kernel as an indicator.

    The kernel is ``(inputs: IndicatorInputs, params: Mapping) -> column or columns``: float64, as long as the inputs,
    in the order of ``outputs``, NaN where not ready; the value at a row may depend on that row and earlier ones only.
    Its docstring becomes the indicator's ``about``.

    Args:
        name: Lower-case; letters, digits and underscores.
        title: Its name for people.
        inputs: Columns of bars that it reads: open, high, low, close, volume.
        lookback: Bars for the first valid value, or a function of the parameters that returns it.
        parameters: In the order in which a key has their values.
        outputs: Names of the outputs.
        settling: Bars beyond the lookback until its beginning no longer shows; 0 when it is not recursive, None when it
            never settles.
        main: The parameter that ``period`` fills; unless given, "period" or else the only parameter.
        group: The group that it belongs to.
        session_aware: Whether it reads `IndicatorInputs.session` or the offsets.
        intraday_only: Whether it has no meaning on daily bars.
        sparse: Whether it marks events, and is NaN until the first event.
        partial: Whether it may be NaN or infinite where its formula is not defined.
        before_first_bar: The value of a session-aware indicator before its session's first bar; see `Indicator`.
        annualised: Whether its values are per year, so that it reads `IndicatorInputs.bars_per_year`.
        positive_prices: Whether it divides by prices or takes their logarithm or root; see `Indicator`.
        source: The package that provides it.

    Raises:
        ConfigError: The name is taken or not a name, or an input is not a column of bars.
    """
    if not name.isidentifier() or name != name.casefold():
        raise ConfigError(f"bad indicator name {name!r}: use lower-case letters, digits and underscores.")
    for column in inputs:
        if column not in PRICE_COLUMNS:
            raise ConfigError(f"indicator {name}: bars have no column {column!r}, only {', '.join(PRICE_COLUMNS)}.")
    known = [p.name for p in parameters]
    fallback = "period" if "period" in known else known[0] if len(known) == 1 else None

    def lookback_of(params: Params) -> Lookback:
        need = lookback(params) if callable(lookback) else lookback
        return need if isinstance(need, Lookback) else Lookback(need)

    def settling_of(params: Params, tolerance: float) -> int | None:
        return settling(params, tolerance) if callable(settling) else settling

    def decorate(kernel: Kernel) -> Kernel:
        indicator = Indicator(
            name=name,
            title=title,
            group=group,
            inputs=tuple(inputs),
            parameters=tuple(parameters),
            kernel=kernel,
            output_names=tuple(outputs),
            lookback_of=lookback_of,
            settling_of=settling_of,
            main=main or fallback,
            session_aware=session_aware,
            intraday_only=intraday_only,
            sparse=sparse,
            partial=partial,
            annualised=annualised,
            positive_prices=positive_prices,
            before_first_bar=before_first_bar,
            source=source,
            about=cleandoc(kernel.__doc__ or ""),
        )
        REGISTRY.add(name, indicator)
        return kernel

    return decorate


def _load_talib() -> None:
    """Register TA-Lib's functions by name, once."""
    # Importing TA-Lib takes long, so this waits until a name requires it.
    with _LOADING:
        if "talib" not in _loaded:
            from openbell.indicators.talib_backed import talib_indicators

            for name, describe in talib_indicators().items():
                # A function of a later TA-Lib with the name of one of openbell's does not replace that.
                REGISTRY.add_later(name, describe)
            _loaded.add("talib")


def _load_plugins() -> None:
    """Load the entry points of all plug-ins, once."""
    with _LOADING:
        if "plugins" not in _loaded:
            _loaded.add("plugins")
            for entry in entry_points(group=ENTRY_POINT_GROUP):
                try:
                    item = entry.load()
                except KeyboardInterrupt:
                    raise
                except BaseException as cause:
                    raise ConfigError(
                        f"the indicator plug-in {entry.name!r} ({entry.value}) cannot be loaded: {cause}. "
                        "Correct it, or uninstall its package."
                    ) from cause
                if isinstance(item, Indicator) and item.name not in REGISTRY:
                    REGISTRY.add(item.name, item)


def key(name: str, params: Params, interval: str) -> str:
    """Write the key of an indicator.

    It consists of the name, the values of all parameters in declared order, and the interval.

    Args:
        name: The indicator, in any case.
        params: Its parameters; those that are missing take their defaults.
        interval: The interval of its bars; equal intervals give equal keys (``1h`` is ``60m``).

    Returns:
        For example ``sma_20_5m``, ``macd_12_26_9_15m``, ``bbands_20_2_2_0_5m``, ``vwap_5m``.

    Raises:
        ConfigError: An unknown indicator or parameter, or a value that it does not take.
        IntervalError: Not an interval.
    """
    return _key(name.casefold(), tuple(params.items()), interval)


@lru_cache(maxsize=8192)
def _key(name: str, items: tuple[tuple[str, Any], ...], interval: str) -> str:
    values = get(name).resolve(None, dict(items)).values()
    return "_".join([name, *map(_write, values), str(parse_interval(interval))])


def _write(value: float | str) -> str:
    """Return a value as text for a key, 2.0 as 2."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


_FORM = "write name_parameters_interval, for example sma_20_5m."


def parse_key(key: str) -> tuple[str, dict[str, Any], str]:
    """Parse a key into the indicator's name, all its parameters and the interval.

    Parameters at the end may be missing and take their defaults: ``macd_15m`` is ``macd_12_26_9_15m``. Where several
    registered names begin the key, the longest is meant.

    Raises:
        UnknownNameError: No registered name begins the key.
        ConfigError: A value that the indicator does not take, or too many of them.
        IntervalError: The key does not end in an interval.
    """
    head, _, interval = key.strip().casefold().rpartition("_")
    if not head:
        raise ConfigError(f"bad indicator key {key!r}: {_FORM}")
    try:
        canonical = str(parse_interval(interval))
    except IntervalError as error:
        raise IntervalError(f"bad indicator key {key!r}, which ends with the interval: {error}") from None
    indicator, values = _split(head, key)
    if len(values) > len(indicator.parameters):
        takes = ", ".join(p.name for p in indicator.parameters) or "no parameters"
        raise ConfigError(f"bad indicator key {key!r}: {indicator.name} takes {takes}, and {len(values)} are given.")
    given = {p.name: _read(p, text, key) for p, text in zip(indicator.parameters, values, strict=False)}
    return indicator.name, indicator.resolve(None, given), canonical


def canonical_key(written: str) -> str:
    """Return a key with all its parameters written out.

    Raises:
        ConfigError: As for `parse_key`, or the key is not text.
    """
    if not isinstance(written, str):
        raise ConfigError(f"bad indicator key {written!r}: {_FORM}")
    return _canonical(written)


@lru_cache(maxsize=4096)  # strategies look keys up at every bar
def _canonical(written: str) -> str:
    return key(*parse_key(written))


def _split(head: str, key: str) -> tuple[Indicator, list[str]]:
    words = head.split("_")
    known = frozenset(names())
    for count in range(len(words), 0, -1):
        name = "_".join(words[:count])
        if name in known:
            return get(name), words[count:]
    wordlike = [word for word in words if not word.replace(".", "").lstrip("-").isdigit()]
    raise UnknownNameError("indicator", "_".join(wordlike) or head, known, where=f"key {key!r}")


def _read(parameter: Parameter, text: str, key: str) -> int | float | str:
    if parameter.type is str:
        return text
    try:
        return parameter.type(text)
    except ValueError:
        raise ConfigError(f"bad indicator key {key!r}: {parameter.name} must be a number, not {text!r}.") from None
