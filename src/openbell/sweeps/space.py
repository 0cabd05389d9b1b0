"""Space of a sweep, and the points of it that are run."""

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
"""Largest number of points of a grid that are enumerated."""

_DRAWS_A_POINT = 1_000
"""Draws from a larger grid for each point that is wanted, after which too few meet the conditions."""


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
    """The values of all keys, and the conditions that points must meet.

    Attributes:
        values: The values of each key, in the order in which they were written.
        where: The conditions that points must meet.
    """

    values: Mapping[str, Sequence[Any]]
    where: tuple[Condition, ...] = ()

    @staticmethod
    def of(sweep: SweepConfig) -> Space:
        """Return the space of a sweep's config."""
        return Space(sweep.space, tuple(Condition.of(text, sweep.space) for text in sweep.where))

    @property
    def size(self) -> int:
        """Number of points of the whole grid, including those that do not meet the conditions."""
        return prod(map(len, self.values.values()))

    def grid(self) -> list[Point]:
        """Return all points that meet the conditions, with the last key varying fastest.

        Raises:
            ConfigError: The grid has too many points, or none meets the conditions.
        """
        if self.size > MOST_POINTS:
            raise ConfigError(
                f"the grid has {self.size:,} points, more than {MOST_POINTS:,}. Draw some of them with --random, or "
                "name fewer values."
            )
        return self._numbered(self._met(range(self.size)))

    def drawn(self, count: int, seed: int) -> list[Point]:
        """Return random distinct points that meet the conditions, in the order in which they are drawn.

        A larger count with the same seed begins with the same points, unless the grid has more than `MOST_POINTS`.

        Args:
            count: The number of points.
            seed: The seed of the draws.

        Raises:
            ConfigError: Fewer points meet the conditions.
        """
        rng = Random(seed)  # noqa: S311  not for secrets
        if self.size <= MOST_POINTS:
            order = list(range(self.size))
            rng.shuffle(order)
            found = list(islice(self._met(order), count))
        else:
            draws = dict.fromkeys(rng.randrange(self.size) for _ in range(count * _DRAWS_A_POINT))
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
            ConfigError: A condition cannot be evaluated for these values.
        """
        try:
            return all(condition.holds(values) for condition in self.where)
        except ValueError as error:
            raise ConfigError(f"{error}.") from None

    def at(self, places: Sequence[int]) -> JsonObject:
        """Return the values of a point by their positions in the lists of values."""
        return {key: values[place] for (key, values), place in zip(self.values.items(), places, strict=True)}

    def _at(self, place: int) -> JsonObject:
        """Return the values of a point by its position in the grid."""
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
        ConfigError: The config is invalid with these values.
    """
    return varied(config, {place_of(key): value for key, value in values.items()})


def points_of(config: SessionConfig, sweep: SweepConfig) -> list[Point]:
    """Return the points of a sweep, with each value of each key checked at one point.

    If the points are proposed by optuna, as many randomly drawn ones stand in for them.

    Raises:
        ConfigError: There are too many points or none, a key does not exist, or a value is wrong.
    """
    space = Space.of(sweep)
    count = sweep.random or sweep.optuna
    points = space.grid() if count is None else space.drawn(count, sweep.seed)
    require_good(config, points)
    return points


def require_good(config: SessionConfig, points: Sequence[Point]) -> None:
    """Check each value of each key in the config of one point that has it.

    Raises:
        ConfigError: A key does not exist, or a value is wrong.
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
    """Return the problems of the config at a point, each with a text of the point's values."""
    try:
        config_at(config, point.values)
    except ConfigError as error:
        texts = error.problems if isinstance(error, InvalidConfigError) else (str(error),)
        at = ", ".join(f"{key} = {value!r}" for key, value in point.values.items())
        return dict.fromkeys(texts, f"at {at}")
    return {}
