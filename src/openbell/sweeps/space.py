"""Space of a sweep, and the points that are run of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import prod
from random import Random
from typing import TYPE_CHECKING, Any

from openbell.config.key_path import place_of
from openbell.config.reading import varied
from openbell.config.sweep_condition import Condition
from openbell.errors import ConfigError, InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openbell.config import SessionConfig
    from openbell.config.sweep import SweepConfig
    from openbell.model.json_object import JsonObject

__all__ = ["MOST_POINTS", "Point", "Space", "config_at", "points_of", "require_good"]

MOST_POINTS = 1_000_000
"""So many points of a grid are looked through at the most."""

_DRAWS_A_POINT = 1_000
"""So often a point is drawn from a larger grid, on average, before the conditions count as met by hardly any."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a space.

    Attributes:
        number: Its place in the order of the sweep, from 1.
        values: The value of each key.
    """

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Space:
    """The values that keys take together.

    Attributes:
        values: By key, in the order in which they were written.
        where: What points must meet.
    """

    values: Mapping[str, Sequence[Any]]
    where: tuple[Condition, ...] = ()

    @staticmethod
    def of(sweep: SweepConfig) -> Space:
        """Return the space of a sweep's config."""
        return Space(sweep.space, tuple(Condition.of(text, sweep.space) for text in sweep.where))

    @property
    def size(self) -> int:
        """The number of points of the whole grid, whatever the conditions."""
        return prod(map(len, self.values.values()))

    def grid(self) -> list[Point]:
        """Return all points that meet the conditions, in the order in which the last key varies fastest.

        Raises:
            ConfigError: There are too many, or none.
        """
        if self.size > MOST_POINTS:
            raise ConfigError(
                f"the grid has {self.size:,} points, more than {MOST_POINTS:,}. Draw some of them with --random, or "
                "name fewer values."
            )
        return self._numbered(self._met(range(self.size)))

    def drawn(self, count: int, seed: int) -> list[Point]:
        """Return so many different points that meet the conditions, in the order in which they are drawn.

        Of a larger count with the same seed, they are the first ones, unless the grid has more than `MOST_POINTS`.

        Raises:
            ConfigError: There are fewer.
        """
        dice = Random(seed)  # noqa: S311  nothing is kept secret by it
        if self.size <= MOST_POINTS:
            order = list(range(self.size))
            dice.shuffle(order)
            found = list(islice(self._met(order), count))
        else:
            draws = dict.fromkeys(dice.randrange(self.size) for _ in range(count * _DRAWS_A_POINT))
            found = list(islice(self._met(draws), count))
        if len(found) < count:
            raise ConfigError(
                f"{len(found):,} of the {self.size:,} points of the grid meet the conditions, fewer than the {count:,} "
                "that are to be drawn. Draw fewer, or name more values."
            )
        return self._numbered(found)

    def _met(self, order: Iterator[int] | Sequence[int] | Mapping[int, None]) -> Iterator[JsonObject]:
        for place in order:
            values = self._at(place)
            if self.meets(values):
                yield values

    def meets(self, values: Mapping[str, Any]) -> bool:
        """Return whether a point meets the conditions.

        Raises:
            ConfigError: A condition has no answer for these values.
        """
        try:
            return all(condition.holds(values) for condition in self.where)
        except ValueError as error:
            raise ConfigError(f"{error}.") from None

    def at(self, places: Sequence[int]) -> JsonObject:
        """Return the point whose values have these places in their lists."""
        return {key: values[place] for (key, values), place in zip(self.values.items(), places, strict=True)}

    def _at(self, place: int) -> JsonObject:
        """Return the values at a place of the grid."""
        found: JsonObject = {}
        for key in reversed(tuple(self.values)):
            place, at = divmod(place, len(self.values[key]))
            found[key] = self.values[key][at]
        return {key: found[key] for key in self.values}

    def _numbered(self, found: Iterator[JsonObject] | list[JsonObject]) -> list[Point]:
        points = [Point(number, values) for number, values in enumerate(found, start=1)]
        if not points:
            conditions = " and ".join(condition.text for condition in self.where)
            raise ConfigError(f"none of the {self.size:,} points of the grid meets {conditions}.")
        return points


def config_at(config: SessionConfig, values: Mapping[str, Any]) -> SessionConfig:
    """Return the config of a point.

    Raises:
        ConfigError: It is none with these values.
    """
    return varied(config, {place_of(key): value for key, value in values.items()})


def points_of(config: SessionConfig, sweep: SweepConfig) -> list[Point]:
    """Return the points of a sweep, after a look at each value of each key at one point that has it.

    Of a sweep whose points are proposed, they are as many drawn ones.

    Raises:
        ConfigError: There are too many points, or none; or a key is not there; or a value is wrong.
    """
    space = Space.of(sweep)
    count = sweep.random or sweep.optuna
    points = space.grid() if count is None else space.drawn(count, sweep.seed)
    require_good(config, points)
    return points


def require_good(config: SessionConfig, points: Sequence[Point]) -> None:
    """Look at each value of each key at one point that has it.

    Raises:
        ConfigError: A key is not there, or a value is wrong.
    """
    seen: set[tuple[str, str]] = set()
    problems: dict[str, str] = {}
    for point in points:
        new = {(key, repr(value)) for key, value in point.values.items()} - seen
        if new:
            seen |= new
            problems.update(_problems_at(config, point))
    if problems:
        raise InvalidConfigError(f"the sweep of {config.display_name}", [f"{p} ({at})" for p, at in problems.items()])


def _problems_at(config: SessionConfig, point: Point) -> dict[str, str]:
    """Return the problems of the config at a point, and the values that they come with."""
    try:
        config_at(config, point.values)
    except ConfigError as error:
        texts = error.problems if isinstance(error, InvalidConfigError) else (str(error),)
        at = ", ".join(f"{key} = {value!r}" for key, value in point.values.items())
        return dict.fromkeys(texts, f"at {at}")
    return {}
