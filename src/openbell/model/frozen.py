"""Objects whose attributes cannot be set."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from dataclasses import Field

__all__ = [
    "Frozen",
    "quick_change",
    "quick_column_maker",
    "quick_maker",
    "quick_replace",
    "quick_row_maker",
    "quick_tuple_maker",
]

P = ParamSpec("P")
T = TypeVar("T")


class Frozen:
    """Base of classes with slots whose objects never change.

    Constructors set the slots through their descriptors (``vars(Class)["name"].__set__``), which is quicker than
    ``object.__setattr__``.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} does not change: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} does not change: {name} cannot be deleted")


def quick_maker(cls: Callable[P, T]) -> Callable[P, T]:
    """Return a function that makes objects as a class itself does, in a quarter of the time.

    Args:
        cls: A frozen dataclass with slots, keyword-only fields and no ``__post_init__``.
    """
    known = _fields_of(cls)
    arguments = ", ".join(f.name if f.default is MISSING else f"{f.name}=defaults[{f.name!r}]" for f in known)
    lines = [f"def make(*, {arguments}):", " new = draft()", *(f" new.{f.name} = {f.name}" for f in known)]
    defaults = {field.name: field.default for field in known}
    return cast("Callable[P, T]", _function("make", [*lines, " new.__class__ = cls", " return new"], cls, defaults))


def quick_row_maker(cls: type[T]) -> Callable[..., T]:
    """Return a function that makes objects of a class from all its fields in their order.

    It takes a third of the time of a function of `quick_maker`, which spends most of it on matching keywords.

    Args:
        cls: A frozen dataclass with slots and no ``__post_init__``.
    """
    names = [f.name for f in _fields_of(cls)]
    lines = [f"def make({', '.join(names)}):", " new = draft()", *(f" new.{name} = {name}" for name in names)]
    return _function("make", [*lines, " new.__class__ = cls", " return new"], cls, {})


def quick_tuple_maker(cls: type[T]) -> Callable[[Iterable[object]], T]:
    """Return a function that makes named tuples of a class from a tuple of all fields, in half the time."""
    return partial(tuple.__new__, cls)  # type: ignore[type-var]


def quick_column_maker(cls: type[T]) -> Callable[..., list[T]]:
    """Return a function that makes a list of objects of a class from columns, one of each field.

    It takes half the time of a function of `quick_maker`.

    Args:
        cls: A frozen dataclass with slots and no ``__post_init__``.
    """
    names, make = [f.name for f in _fields_of(cls)], quick_row_maker(cls)

    def made(**columns: Iterable[object]) -> list[T]:
        return list(map(make, *(columns[name] for name in names)))

    return made


def quick_replace(cls: type[T]) -> Callable[[T, Mapping[str, object]], T]:
    """Return a `dataclasses.replace` for one class, which takes a tenth of the time.

    Args:
        cls: A frozen dataclass with slots and no ``__post_init__``.
    """
    lines = ["def copied(old):", " new = draft()", *(f" new.{f.name} = old.{f.name}" for f in _fields_of(cls))]
    copied = _function("copied", [*lines, " return new"], cls, {})

    def replaced(value: T, changes: Mapping[str, object]) -> T:
        new = copied(value)
        try:
            for name, changed in changes.items():
                setattr(new, name, changed)
        except AttributeError:
            raise TypeError(f"{cls.__name__} has no field {name!r}") from None
        new.__class__ = cls
        return cast("T", new)

    return replaced


def quick_change(cls: type[T], *names: str) -> Callable[..., T]:
    """Return a function that copies an object of a class with other values in fixed fields.

    Its arguments are the object and the values, in the order of ``names``. It takes half the time of a function of
    `quick_replace`.

    Args:
        cls: A frozen dataclass with slots and no ``__post_init__``.
        names: The fields that get other values.

    Raises:
        TypeError: The class has no field of one of the names.
    """
    known = [f.name for f in _fields_of(cls)]
    if strangers := set(names).difference(known):
        raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(strangers))}")
    values = [f" new.{name} = {name if name in names else f'old.{name}'}" for name in known]
    lines = [f"def changed(old, {', '.join(names)}):", " new = draft()", *values]
    return _function("changed", [*lines, " new.__class__ = cls", " return new"], cls, {})


def _fields_of(cls: object) -> tuple[Field[object], ...]:
    return fields(cls)  # type: ignore[arg-type]  # callers pass dataclasses only


def _function(name: str, lines: list[str], cls: Any, defaults: Mapping[str, object]) -> Callable[..., Any]:
    """Compile a function that makes objects of a frozen class.

    It fills a draft, which has the slots of the class but lets them be set, and then assigns the class to the draft's
    ``__class__``.
    """
    # Compiled, as dataclasses compile their methods: a loop over the fields takes four times as long.
    # The draft has the base of the class, which may have fields, too: __class__ can change between equal layouts only.
    own = {"__slots__": vars(cls)["__slots__"], "__setattr__": object.__setattr__, "__init__": object.__init__}
    draft = type("Draft", (cls.__mro__[1],), own)
    namespace: dict[str, Any] = {"draft": draft, "cls": cls, "defaults": defaults}
    exec("\n".join(lines), namespace)  # noqa: S102 -- the source is made of names of fields only
    return cast("Callable[..., Any]", namespace[name])
