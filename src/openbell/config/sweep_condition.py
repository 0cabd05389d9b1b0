"""Conditions on the values of a sweep's point, such as ``fast < slow``."""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openbell.config.key_path import place_of
from openbell.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Condition", "short_names"]

_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_LONGEST = 1_000
_ENTRY = re.compile(r"\b([A-Za-z_]\w*)\.(\d+)\b")


def short_names(keys: Iterable[str]) -> dict[str, str]:
    """Return by key its shortest ending that no other key has, such as ``fast``.

    A key without such an ending stands for itself.
    """
    places = {key: [str(part) for part in place_of(key)] for key in keys}
    found = {}
    for key, parts in places.items():
        for size in range(1, len(parts) + 1):
            if sum(other[-size:] == parts[-size:] for other in places.values()) == 1:
                found[key] = ".".join(parts[-size:])
                break
        else:
            found[key] = key
    return found


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that points of a sweep must meet.

    Attributes:
        text: As it was written.
    """

    text: str
    _tree: ast.expr
    _keys: Mapping[str, str]

    @staticmethod
    def of(text: str, keys: Iterable[str]) -> Condition:
        """Parse a condition on the values of some keys.

        Numbers and texts are compared (``<``, ``<=``, ``==``, ``!=``, ``in`` ...), calculated with (``+ - * / // %``)
        and joined by ``and``, ``or`` and ``not``. A key is written whole, or by an ending that no other key has.

        Raises:
            ValueError: It cannot be parsed, or names a key that does not vary or more than one key.
        """
        known = tuple(keys)
        # A list entry may also be written as for --set (strategies.0.name), which is not a Python expression.
        tree = _tree_of(text) or _tree_of(_ENTRY.sub(r"\1[\2]", text))
        if tree is None:
            raise ValueError(f"{text[:80]!r} is not a condition. Write one as in: fast < slow")
        names = {}
        for written in _names_in(tree, text):
            names[written] = _key_of(written, known)
        return Condition(text, tree, names)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the values of a point, by key, meet the condition.

        Raises:
            ValueError: The values cannot be compared or calculated with.
        """
        try:
            return bool(self._value(self._tree, values))
        except (TypeError, ArithmeticError) as error:
            at = ", ".join(f"{name} = {values[key]!r}" for name, key in self._keys.items())
            raise ValueError(f"the condition {self.text!r} cannot be judged at {at}: {error}") from None

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self._value(item, values) for item in items]
            case ast.UnaryOp(op=op, operand=operand):
                one = self._value(operand, values)
                return not one if isinstance(op, ast.Not) else -one
            case ast.BinOp(left=left, op=op, right=right):
                return _ARITHMETIC[type(op)](self._value(left, values), self._value(right, values))
            case ast.BoolOp(op=op, values=parts):
                judge = all if isinstance(op, ast.And) else any
                return judge(self._value(part, values) for part in parts)
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [self._value(side, values) for side in (left, *others)]
                return all(_COMPARISONS[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
            case _:
                return values[self._keys[_name(node)]]


def _tree_of(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body if len(text) <= _LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _name(node: ast.AST) -> str:
    """Return the text of a key in a condition, or an empty text for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            return f"{_name(inner)}.{name}" if _name(inner) else ""
        case ast.Subscript(value=inner, slice=ast.Constant(value=part)) if isinstance(part, int | str):
            return f"{_name(inner)}[{part!r}]" if _name(inner) else ""
    return ""


def _names_in(node: ast.AST, text: str) -> list[str]:
    """Return the keys in a condition.

    Raises:
        ValueError: The condition holds something other than keys, values, comparisons and calculations.
    """
    if name := _name(node):
        return [name]
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float | str):
            return []
        case ast.List() | ast.Tuple() | ast.BoolOp():
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            pass
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
            pass
        case ast.Compare(ops=ops) if all(type(op) in _COMPARISONS for op in ops):
            pass
        case _:
            raise ValueError(
                f"{text!r} has a part that a condition cannot hold ({ast.unparse(node)}). It takes numbers, texts, "
                "keys, + - * / // %, comparisons, and, or, not."
            )
    return [n for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) for n in _names_in(child, text)]


def _key_of(written: str, keys: tuple[str, ...]) -> str:
    place = place_of(written)
    found = [key for key in keys if place_of(key)[-len(place) :] == place]
    if len(found) == 1:
        return found[0]
    if found:
        whole = " or ".join(_as_expression(key) for key in found)
        raise ValueError(f"{written} may be {' or '.join(found)}. Write {whole}.")
    ends = list(short_names(keys).values())
    raise ValueError(
        f"{written} does not vary in this sweep.{did_you_mean(written, ends)} It varies {', '.join(keys)}."
    )


def _as_expression(key: str) -> str:
    parts = place_of(key)
    return "".join(
        f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{part!r}]" for part in parts
    ).removeprefix(".")
