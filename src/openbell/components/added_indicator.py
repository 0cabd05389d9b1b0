"""Result of adding indicators to a symbol, and the way to their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import ConfigError, DataError
from openbell.session.not_a_number import NotANumber

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from openbell.session import IndicatorData, SessionData

__all__ = ["AddedIndicator"]


class AddedIndicator(NotANumber):
    """Result of adding one indicator to a symbol, or several at once.

    It is true when they were added, and then gives their present values without their keys. The result of several is
    unpacked: ``fast, slow = context.add_indicators(["SPY"], [FAST, SLOW])["SPY"]``.

    Attributes:
        symbol: The symbol.
        keys: The keys of the indicators, in the order in which they were asked for.
        reason: Why they were refused; empty when they were added.

    Args:
        session_data: The session that was added to.
        symbol: The symbol.
        keys: The keys.
        ok: Whether they were added.
        errors: The reasons of a refusal; empty when they were added.
    """

    __slots__ = ("_ok", "_session_data", "keys", "reason", "symbol")

    def __init__(
        self, session_data: SessionData, symbol: str, keys: Sequence[str], *, ok: bool, errors: Sequence[str] = ()
    ) -> None:
        self._session_data = session_data
        self._ok = ok
        self.symbol = symbol
        self.keys = tuple(keys)
        self.reason = " ".join(errors)

    def __bool__(self) -> bool:
        return self._ok

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[AddedIndicator]:
        """Iterate over the results of the single indicators."""
        for key in self.keys:
            yield AddedIndicator(self._session_data, self.symbol, (key,), ok=self._ok, errors=(self.reason,))

    @property
    def key(self) -> str:
        """The key, e.g. "sma_20_5m".

        Raises:
            ConfigError: The result is of several indicators, or of none.
        """
        if len(self.keys) != 1:
            held = ", ".join(self.keys) or "no indicator"
            raise ConfigError(f"this result is that of {held}; take one of it, such as `for one in result`")
        return self.keys[0]

    @property
    def value(self) -> float | dict[str, float] | None:
        """Value at the last closed bar, by output when there are several (None while it is not valid).

        Raises:
            DataError: The indicator was refused, or has been removed since.
        """
        return self._indicator().value

    @property
    def values(self) -> NDArray[np.float64]:
        """Values of the first output up to the last closed bar (float64), NaN where it is not valid.

        Raises:
            DataError: The indicator was refused, or has been removed since.
        """
        return self._indicator().values

    @property
    def valid(self) -> bool:
        """Whether it was added and has a value."""
        return self._ok and self._indicator().valid

    @property
    def settled(self) -> bool:
        """Whether it was added and its starting point no longer shows in the value."""
        return self._ok and self._indicator().settled

    def output(self, name: str) -> NDArray[np.float64]:
        """Return the values of one output up to the last closed bar (float64).

        Raises:
            DataError: The indicator was refused, or has been removed since.
            UnknownNameError: The indicator has no such output.
        """
        return self._indicator().output(name)

    def _indicator(self) -> IndicatorData:
        key = self.key
        if not self._ok:
            raise DataError(f"indicator {key} of {self.symbol} was refused: {self.reason}")
        found = self._session_data.get_indicator(self.symbol, key)
        if found is None:
            raise DataError(f"indicator {key} of {self.symbol} was added, and has been removed since")
        return found

    def __repr__(self) -> str:
        state = "added" if self._ok else f"refused: {self.reason}"
        return f"<AddedIndicator {self.symbol} {', '.join(self.keys)}: {state}>"
