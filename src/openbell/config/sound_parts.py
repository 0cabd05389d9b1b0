"""The parts of a config that can be read although others cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from openbell.config.error_messages import problems_of
from openbell.config.key_path import value_at
from openbell.config.models import SessionConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.config.error_messages import Place, Problem

__all__ = ["SoundParts", "sound_parts"]

_NOWHERE = object()
_STAND_INS: dict[Place, Any] = {
    ("backtest_config",): {"start_date": "2000-01-03", "end_date": "2000-01-03"},
    ("session_data_config",): {"symbols": ["A"]},
    ("session_data_config", "symbols"): ["A"],
}
"""Values of keys that every config has."""


@dataclass(frozen=True)
class SoundParts:
    """Rest of a config without the parts that cannot be read.

    Attributes:
        config: The rest, in which defaults and stand-ins are in the place of those parts.
        problems: Why they cannot be read.
        removed: Their places, of which one within a list is that of its whole entry.
    """

    config: SessionConfig
    problems: list[Problem]
    removed: frozenset[Place]

    def written(self, place: Place) -> Place:
        """Return a place of the rest as it is in the file, where lists have their entries still."""
        return _written(place, self.removed)

    def is_apart(self, place: Place) -> bool:
        """Return whether a place of the file is neither within a part that was removed nor around one."""
        return not any(place[: len(gone)] == gone[: len(place)] for gone in self.removed)


def sound_parts(values: Mapping[str, Any]) -> SoundParts | None:
    """Return what can be read of a config that cannot be read as a whole, or None when nothing can."""
    removed: frozenset[Place] = frozenset()
    problems: list[Problem] = []
    while True:
        try:
            config = SessionConfig.model_validate(_without(values, removed, ()))
        except ValidationError as error:
            found = problems_of(error, SessionConfig)
        else:
            return SoundParts(config, problems, removed)
        problems = problems or found
        parts = [_part(_written(problem.place, removed), values, removed) for problem in found]
        if () in parts:
            return None
        removed |= frozenset(parts)


def _part(place: Place, values: Mapping[str, Any], removed: frozenset[Place]) -> Place:
    """Return the smallest part around a place that can be removed and is not, or () when there is none."""
    entry = next((at for at, part in enumerate(place) if isinstance(part, int)), len(place))
    part = place[: entry + 1]
    while part and (part in removed or not (part in _STAND_INS or value_at(values, part, _NOWHERE) is not _NOWHERE)):
        part = part[:-1]
    return part


def _without(values: Any, removed: frozenset[Place], place: Place) -> Any:
    if isinstance(values, list | tuple):
        entries = enumerate(values)
        return [_without(v, removed, (*place, n)) for n, v in entries if (*place, n) not in removed]
    if not isinstance(values, dict):
        return values
    kept = {key: _without(v, removed, (*place, key)) for key, v in values.items() if (*place, key) not in removed}
    stand_ins = {key[-1]: v for key, v in _STAND_INS.items() if key in removed and key[:-1] == place}
    return kept | stand_ins


def _written(place: Place, removed: frozenset[Place]) -> Place:
    found: Place = ()
    for part in place:
        at = part
        if isinstance(at, int):
            for gone in sorted(one[-1] for one in removed if one[:-1] == found and isinstance(one[-1], int)):
                at += gone <= at
        found = (*found, at)
    return found
