"""Reader of YAML 1.2, and of the lines of its keys and list entries.

The rules of YAML 1.1, which PyYAML follows, would read the ticker ``ON`` as true, the time ``15:55`` as the number 955
and the ticker ``0700`` as the number 448.
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
    """Loader of YAML 1.2 that refuses duplicate keys, and bounds the depth and the number of values.

    Dates stay text. Values are counted with their aliases written out.
    """

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
        """Construct a value, and raise an error with its line when it does not fit its tag."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError, LookupError, AttributeError):  # all that PyYAML's constructors raise
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
                None, None, f"the key {key.value!r} occurs twice (first on line {seen[key.value]})", key.start_mark
            )
        seen[key.value] = line
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Yaml.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(text: str) -> Any:
    """Read the value that a YAML document holds.

    Raises:
        yaml.YAMLError: It is not YAML, has a duplicate key, a key that is not text or a tag of a Python object, is too
            large, or is nested too deep.
    """
    return yaml.load(text, _Yaml)  # noqa: S506  a subclass of SafeLoader


def lines_of_yaml(text: str) -> dict[Place, int]:
    """Return the line of each key and list entry, counted from 1, by its place."""
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
