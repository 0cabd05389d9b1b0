"""Errors for arguments that a method does not take, with the arguments that may be meant."""

from __future__ import annotations

from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from openbell.errors import OrderError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["says_what_was_meant"]

P = ParamSpec("P")
T = TypeVar("T")

_MEANT = {
    **dict.fromkeys(("qty", "size", "shares", "units", "amount", "contracts", "volume"), ("quantity",)),
    **dict.fromkeys(("stop_loss", "stoploss", "sl", "stop_price"), ("stop",)),
    **dict.fromkeys(("take_profit", "takeprofit", "tp", "profit_target", "target_price"), ("target",)),
    **dict.fromkeys(("price", "at"), ("limit", "stop")),
    **dict.fromkeys(("limit_price", "lmt"), ("limit",)),
    **dict.fromkeys(("trailing", "trailing_stop", "trail_amount"), ("trail",)),
    **dict.fromkeys(("trailing_percent", "trail_pct"), ("trail_percent",)),
    **dict.fromkeys(("order_type", "kind"), ("type",)),
    **dict.fromkeys(("time_in_force", "duration"), ("tif",)),
    **dict.fromkeys(("expires", "expiry", "good_till", "gtd"), ("until",)),
    **dict.fromkeys(("label", "name", "comment"), ("tag",)),
    **dict.fromkeys(("ticker", "asset", "security"), ("symbol",)),
    **dict.fromkeys(("weight", "pct", "target_percent", "fraction"), ("percent",)),
}
"""Names of arguments in other engines and at brokers, with the arguments here that may be meant."""

_SIDES = ("side", "action", "direction", "buy", "sell")
_EXITS = ("stop_loss", "stoploss", "sl", "take_profit", "takeprofit", "tp", "profit_target")


def says_what_was_meant(name: str, error: type[Exception] = OrderError) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that explains arguments which a method does not take.

    Args:
        name: The method, as users call it.
        error: The error to raise in place of a TypeError.
    """

    def decorated(method: Callable[P, T]) -> Callable[P, T]:
        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return method(*args, **kwargs)
            except TypeError:
                mistake = _mistake(name, method, args[1:], kwargs)
                if mistake is None:
                    raise  # it comes from within the method
            raise error(mistake)

        return call

    return decorated


def _mistake(
    name: str, method: Callable[..., object], values: Sequence[object], named: Mapping[str, object]
) -> str | None:
    """Return what is wrong with the arguments of a method, or None when it takes them."""
    taken = dict(list(signature(method).parameters.items())[1:])
    unknown = [key for key in named if key not in taken]
    positional = [key for key, parameter in taken.items() if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD]
    if unknown:
        return f"{name}() has no {unknown[0]}={_instead(unknown[0], list(taken))}"
    if len(values) > len(positional):
        places = " and ".join(positional) or "nothing"
        return f"{name}() takes {places} by position, all others by name. {_named(name, values, len(positional))}"
    given = {*positional[: len(values)], *named}
    missing = [key for key in positional if taken[key].default is Parameter.empty and key not in given]
    return f"{name}() needs {' and '.join(missing)} as well" if missing else None


def _instead(given: str, taken: Sequence[str]) -> str:
    """Return what to write in place of a name that a method does not know, as the rest of a sentence."""
    word = given.lower()
    if word in _SIDES and "quantity" in taken:
        return ": a positive quantity buys, and a negative one sells."
    if word in _EXITS and "type" in taken:
        return ". An entry with exits is a bracket: context.bracket(symbol, quantity, stop=, target=)."
    if meant := [one for one in _MEANT.get(word, ()) if one in taken]:
        return f". Did you mean {' or '.join(f'{one}=' for one in meant)}?"
    near = did_you_mean(given, taken)
    return f".{near}" if near else f". It takes {', '.join(taken)}."


def _named(name: str, values: Sequence[object], places: int) -> str:
    """Return how to write the first value beyond the positional arguments."""
    extra = values[places]
    if name == "order" and isinstance(values[1], str):
        return "A positive quantity buys, and a negative one sells: order(symbol, 10), order(symbol, -10)."
    if name == "order_target":
        return f"Say what it is: quantity={extra!r}, value={extra!r} or percent={extra!r}."
    return f"Give {extra!r} its name{f', such as limit={extra!r}' if name in ('order', 'bracket') else ''}."
