"""Comparison of two stored runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.model.json_object import JsonObject
    from openbell.results.folder.stored_run import StoredRun

__all__ = ["ConfigDifference", "NumberPair", "RunComparison", "compare"]

_MISSING = "(missing)"


@dataclass(frozen=True, slots=True)
class NumberPair:
    """A number of both runs.

    Attributes:
        name: As `Performance` names it.
        a: The number of the first run; None when it has none.
        b: The number of the second run; None when it has none.
    """

    name: str
    a: float | None
    b: float | None

    @property
    def difference(self) -> float | None:
        """The second less the first."""
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True, slots=True)
class ConfigDifference:
    """A key whose value differs between the configs of the runs.

    Attributes:
        key: Its place, such as ``strategies[0].config.fast``.
        a: The value in the first run.
        b: The value in the second.
    """

    key: str
    a: object
    b: object


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs side by side.

    Attributes:
        a: The first.
        b: The second.
        numbers: The numbers of their performance; empty when neither traded.
        config: Where their configs differ.
        warnings: Why the numbers may not be comparable.
    """

    a: StoredRun
    b: StoredRun
    numbers: tuple[NumberPair, ...]
    config: tuple[ConfigDifference, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> JsonObject:
        """Return the comparison as ``openbell runs compare --json`` prints it, without the runs."""
        return {
            "performance": {n.name: {"a": n.a, "b": n.b, "difference": n.difference} for n in self.numbers},
            "config": [{"key": d.key, "a": d.a, "b": d.b} for d in self.config],
            "warnings": list(self.warnings),
        }


def compare(a: StoredRun, b: StoredRun) -> RunComparison:
    """Compare two runs."""
    of_a, of_b = a.performance or {}, b.performance or {}
    names = dict.fromkeys((*of_a, *of_b))
    return RunComparison(
        a=a,
        b=b,
        numbers=tuple(NumberPair(name, of_a.get(name), of_b.get(name)) for name in names),
        config=tuple(_differences(a.config, b.config)) if a.config and b.config else (),
        warnings=tuple(_warnings(a, b)),
    )


def _warnings(a: StoredRun, b: StoredRun) -> Iterator[str]:
    for run in (a, b):
        if run.performance is None and run.state != "damaged":
            yield f"{run.path.name} did not trade: its config has no execution."
    if a.days != b.days and a.days and b.days:
        spans = [f"{run.path.name} has {len(run.days)}, {run.days[0]} to {run.days[-1]}" for run in (a, b)]
        yield f"the sessions differ: {', '.join(spans)}."


def _differences(a: object, b: object, place: str = "") -> Iterator[ConfigDifference]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in dict.fromkeys((*a, *b)):
            below = f"{place}.{key}" if place else str(key)
            yield from _differences(a.get(key, _MISSING), b.get(key, _MISSING), below)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and not place.endswith("symbols"):
        for number, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif a != b:
        yield ConfigDifference(place, a, b)
