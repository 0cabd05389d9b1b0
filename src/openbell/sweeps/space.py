"""Space of a sweep, and the points of it that are run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import prod
from random import Random
from string import digits
from typing import TYPE_CHECKING, Any

from openbell.config.key_path import place_of, text_of, value_at
from openbell.config.reading import varied
from openbell.config.sweep_condition import Condition
from openbell.errors import ConfigError, InvalidConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from openbell.config import SessionConfig
    from openbell.config.error_messages import Place
    from openbell.config.sweep import SweepConfig
    from openbell.model.json_object import JsonObject

__all__ = ["MOST_POINTS", "Point", "Space", "config_at", "oddities_of_keys", "points_of", "require_good"]

MOST_POINTS = 1_000_000
"""Largest number of points of a grid that are enumerated."""

_LEVELS_ABOVE = 3  # strategies.0.config
_NEAR = 0.8

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
    if misspelt := _misspelt_keys(config, sweep.space):
        raise InvalidConfigError(f"the sweep of {config.display_name}", misspelt)
    space = Space.of(sweep)
    count = sweep.random or sweep.optuna
    points = space.grid() if count is None else space.drawn(count, sweep.seed)
    require_good(config, points)
    return points


def oddities_of_keys(config: SessionConfig, keys: Iterable[str]) -> list[str]:
    """Return a warning of each key that a component's config does not have, though it has others."""
    return [
        f"{text_of(level)} of the config has no key {name!r}.{did_you_mean(name, held)} The points have it; a class "
        "that does not read it gives the same at all of them."
        for level, name, held in _new_keys(config, keys)
    ]


def _misspelt_keys(config: SessionConfig, keys: Iterable[str]) -> list[str]:
    """Return a problem for each key that a component's config has almost in this spelling."""
    return [
        f"{text_of(level)} has no key {name!r}. Did you mean {near!r}? If not, write {name} in the config first."
        for level, name, held in _new_keys(config, keys)
        if (near := _near(name, held))
    ]


def _new_keys(config: SessionConfig, keys: Iterable[str]) -> Iterator[tuple[Place, str, list[str]]]:
    """Iterate over the keys that a component's config, free in form, does not have, with its place and those it has."""
    written = config.written()
    for key in keys:
        *level, name = place_of(key)
        if len(level) < _LEVELS_ABOVE or level[0] not in ("strategies", "scanners") or level[2] != "config":
            continue
        held = value_at(written, tuple(level))
        names = list(map(str, held)) if isinstance(held, dict) else []
        if names and str(name) not in names:
            yield tuple(level), str(name), names


def _near(name: str, known: Iterable[str]) -> str:
    """Return the known name that a name is a misspelling of, or an empty text.

    A name that differs by the number behind it alone, such as ``slow2``, is none.
    """
    from difflib import get_close_matches

    folded = {other.casefold(): other for other in known}
    if name.casefold() in folded:
        return folded[name.casefold()]
    stems = {other.rstrip(digits): folded[other] for other in folded}
    stem = name.casefold().rstrip(digits)
    found = get_close_matches(stem, stems, 1, _NEAR) if stem not in stems else []
    return stems[found[0]] if found else ""


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
