"""Description of one parameter of an indicator, and the reading of its value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Parameter"]


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
        """``value`` in the parameter's own type.

        Raises:
            ConfigError: It is of another type, or out of bounds; the message begins with ``where``.
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
