"""YAML as its version 1.2 reads it, with the lines on which things stand.

The rules of 1.1, which PyYAML follows, bite traders: the ticker ``ON`` would be true, the time ``15:55`` the number 955
and the ticker ``0700`` the number 448.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from openbell.config.problems import Place

__all__ = ["lines_of_yaml", "read_yaml"]

_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
_DEEPEST = 32  # more levels than a config has; a node may hold itself


class _Yaml(yaml.SafeLoader):
    """YAML 1.2's scalars, in which dates are text, and no key twice."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  as PyYAML has it


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Yaml.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _mapping(loader: _Yaml, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.tag not in _KEY_TAGS:
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
        if key.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key.value!r} is there twice (first on line {seen[key.value]})", key.start_mark
            )
        seen[key.value] = line
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Yaml.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(text: str) -> Any:
    """Read the value that a YAML document holds.

    Raises:
        yaml.YAMLError: It is not YAML, has a key twice or a key that is no text, or asks for an object of Python.
    """
    return yaml.load(text, _Yaml)  # noqa: S506  a subclass of SafeLoader


def lines_of_yaml(text: str) -> dict[Place, int]:
    """Return the line on which each key and list entry stands."""
    lines: dict[Place, int] = {}

    def walk(node: yaml.Node | None, place: Place) -> None:
        if len(place) > _DEEPEST:
            return
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                lines[*place, key.value] = key.start_mark.line + 1
                walk(value, (*place, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                lines[*place, at] = value.start_mark.line + 1
                walk(value, (*place, at))

    walk(yaml.compose(text, _Yaml), ())
    return lines
