"""A memo of what functions returned for their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Memo"]

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class Memo:
    """Results of functions, computed once per function and arguments.

    The key of a result is the function with its arguments, and a function that could read anything else of its caller
    (a closure) is refused: so a result cannot depend on what is not in its key, nor a key on more than the result does.
    """

    __slots__ = ("_results",)

    def __init__(self) -> None:
        self._results: dict[tuple[object, ...], object] = {}

    def __call__(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Return ``function(*arguments)``, from memory when it was called with them before.

        Args:
            function: A function without a closure, of positional arguments only.
            arguments: Hashable values; those that compare by identity are the same only when they are one object.

        Raises:
            TypeError: The function is a closure, or an argument is not hashable.
        """
        key = (function, *arguments)
        try:
            return cast("T", self._results[key])
        except KeyError:
            if getattr(function, "__closure__", None):
                raise TypeError(f"{function!r} is a closure: what it reads would not be in the key") from None
            result = function(*arguments)
        self._results[key] = result
        return result
