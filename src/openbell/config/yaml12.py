"""YAML as its version 1.2 reads it, with the lines on which things stand.

The rules of 1.1, which PyYAML follows, bite traders: the ticker ``ON`` would be true, the time ``15:55`` the number 955
and the ticker ``0700`` the number 448.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from openbell.config.bounds import DEEPEST, MOST_VALUES
from openbell.errors import shortened

if TYPE_CHECKING:
    from openbell.config.error_messages import Place

__all__ = ["lines_of_yaml", "read_yaml"]

_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


class _Yaml(yaml.SafeLoader):
    """YAML 1.2's scalars, in which dates are text, no key twice, and bounds on depth and on what aliases stand for."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  as PyYAML has it

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._values = 0
        self._values_of: dict[str, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node and count the values that it stands for with its aliases written out."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        before, anchor = self._values, event.anchor
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            if anchor in self.anchors and anchor not in self._values_of:
                raise yaml.composer.ComposerError(None, None, "a value that holds itself", mark)
            self._values += self._values_of.get(anchor, 0)
        self._values += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise yaml.composer.ComposerError(None, None, f"more than {DEEPEST} levels", mark)
        if self._values > MOST_VALUES:
            raise yaml.composer.ComposerError(None, None, f"more than {MOST_VALUES:,} values", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if anchor is not None and not isinstance(event, yaml.AliasEvent):
            self._values_of[anchor] = self._values - before
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value, and refuse one that is not of its tag at its place."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError, LookupError, AttributeError):  # as PyYAML's constructors do
            kind, value = node.tag.rpartition(":")[2], node.value
            what = shortened(value) if isinstance(value, str) else "what stands here"
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"{what} cannot be read as {kind}",
                node.start_mark,
            ) from None


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
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                lines[*place, key.value] = key.start_mark.line + 1
                walk(value, (*place, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                lines[*place, at] = value.start_mark.line + 1
                walk(value, (*place, at))

    walk(yaml.compose(text, _Yaml), ())
    return lines
