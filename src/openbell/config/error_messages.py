"""Problems that pydantic finds in a config, in words for the person who wrote it."""

from __future__ import annotations

import re
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import ValidationError

from openbell.config.strict_model import docs_of_keys
from openbell.errors import InvalidConfigError, did_you_mean, printable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["Problem", "problems_of", "raises_config_error"]

C = TypeVar("C", bound=type)
Place = tuple[str | int, ...]

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_NOT_A_MAPPING = ("model_type", "model_attributes_type", "dataclass_type", "dict_type", "mapping_type")
_NOT_A_LIST = ("tuple_type", "list_type")
_MOST_PROBLEMS = 100
_MOST_OF_A_KEY = 60
_MOST_OF_A_VALUE = 200
_ANY_KEY = "*"
_UNION_TAG = re.compile("<[a-z]+>")


class Problem(NamedTuple):
    """One problem of a config.

    ``place`` holds the keys and list positions that lead to it, ``message`` what is wrong and what to do.
    """

    place: Place
    message: str

    @property
    def where(self) -> str:
        """Place as people write it, such as ``scanners[0].schedule``."""
        shown = (f"[{p}]" if isinstance(p, int) else f".{printable(p, _MOST_OF_A_KEY)}" for p in self.place)
        return "".join(shown).lstrip(".")

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.place else self.message


def problems_of(error: ValidationError, model: type) -> list[Problem]:
    """List the problems in a validation error, in the order of the model's fields."""
    details = error.errors(include_url=False)
    found = [Problem(_written(detail["loc"]), _message(detail, model)) for detail in details[:_MOST_PROBLEMS]]
    if more := len(details) - len(found):
        found.append(Problem((), f"besides the {_MOST_PROBLEMS} problems named here, {more:,} more"))
    return found


def raises_config_error(cls: C) -> C:
    """Make the constructor of a pydantic dataclass raise ConfigError instead of ValidationError."""
    construct = vars(cls)["__init__"]

    @wraps(construct)
    def checked(self: Any, *args: Any, **values: Any) -> None:
        try:
            construct(self, *args, **values)
        except ValidationError as error:
            raise InvalidConfigError(cls.__name__, map(str, problems_of(error, cls))) from None

    type.__setattr__(cls, "__init__", checked)
    return cls


def _written(place: Place) -> Place:
    """Return a place as in the file, without the marks that pydantic adds for keys and union members."""
    return tuple(
        part for part in place if part != "[key]" and not (isinstance(part, str) and _UNION_TAG.fullmatch(part))
    )


def _message(detail: ErrorDetails, model: type) -> str:
    kind, given, place = detail["type"], detail["input"], _written(detail["loc"])
    if kind in _UNKNOWN_KEY:
        return _unknown_key(place, model)
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "missing":
        return f"is required but missing: {_description(place, model)}"
    if kind == "literal_error":
        return f"must be {detail['ctx']['expected']}, not {_quoted(given)}"
    if kind in _NOT_A_MAPPING:
        return f"must be a mapping (key: value), not {_described(given)}"
    if kind in _NOT_A_LIST:
        return f"must be a list, not {_described(given)}. Write it as [...], or each entry on a line after a dash."
    if kind == "string_type":
        return f"must be text, not {_described(given)}. Put it in quotes."
    if kind == "string_pattern_mismatch":
        return f"{_quoted(given)} cannot be used: {_description(place, model)}"
    if kind == "too_short":
        return "is empty. Write at least one entry, or leave the key out."
    return f"{detail['msg'].replace('Input should be', 'must be', 1)}, not {_described(given)}"


def _described(given: object) -> str:
    if given is None:
        return "empty"
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list | tuple):
        return "a list"
    return _quoted(given)


def _quoted(given: object) -> str:
    return printable(repr(given), _MOST_OF_A_VALUE)


def _unknown_key(place: Place, model: type) -> str:
    *parents, key = (part for part in place if isinstance(part, str))
    keys_at, known = _levels(model), _keys_at(tuple(parents), model)
    hint = did_you_mean(key, known)
    homes = [level for level, fields in keys_at.items() if key in fields]
    # A key that exactly one other level has is meant to be there; one that several levels have, or none, is likelier a
    # misspelt key of this level.
    if hint and len(homes) != 1:
        return f"unknown key; {hint[1].lower()}{hint[2:]}"
    if homes:
        return f"unknown key here; {key!r} belongs {' or '.join(_named(home) for home in homes)}"
    return f"unknown key; known here: {', '.join(known)}"


def _named(level: tuple[str, ...]) -> str:
    return f"in {'.'.join(level)}" if level else "at the top of the file"


def _description(place: Place, model: type) -> str:
    *parents, key = (part for part in place if isinstance(part, str))
    return _keys_at(tuple(parents), model).get(key, "")


def _keys_at(parents: tuple[str, ...], model: type) -> dict[str, str]:
    """Return the keys, with their meanings, of the level that ``parents`` lead to.

    Some of the parents may be keys that the user chose.
    """
    return next(
        (
            keys
            for level, keys in _levels(model).items()
            if len(level) == len(parents)
            and all(own in (_ANY_KEY, key) for own, key in zip(level, parents, strict=True))
        ),
        {},
    )


@cache
def _levels(model: type) -> dict[tuple[str, ...], dict[str, str]]:
    """Return the keys of each level of the config, with their meanings.

    A level is named by the keys that lead to it, with `_ANY_KEY` for a key that the user chooses.
    """
    fields = model.__pydantic_fields__  # type: ignore[attr-defined]  # models and dataclasses of pydantic both have it
    levels: dict[tuple[str, ...], dict[str, str]] = {(): {name: docs_of_keys(model).get(name, "") for name in fields}}
    for name, field in fields.items():
        for between, nested in _models_in(field.annotation):
            levels.update({(name, *between, *path): keys for path, keys in _levels(nested).items()})
    return levels


def _models_in(annotation: Any) -> list[tuple[tuple[str, ...], type]]:
    """Return the models in an annotation, each with the keys that lead to it."""
    if hasattr(annotation, "__pydantic_fields__"):
        return [((), annotation)]
    between = (_ANY_KEY,) if get_origin(annotation) is dict else ()
    return [((*between, *inner), model) for part in get_args(annotation) for inner, model in _models_in(part)]
