"""Everything that user code can read from an object by public names, as values that can be compared."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from openbell.components.context import SessionContext
from openbell.errors import OpenbellError
from openbell.session import BarIntervalData, IndicatorData, SessionData, SymbolSessionData

WALKED_ONCE = (SessionContext, SessionData, SymbolSessionData, BarIntervalData, IndicatorData)
"""Many ways lead to such an object; whether two are one does not depend on the bars."""
LEAVES = (str, bytes, int, date, datetime, time, timedelta, tzinfo, Path, type(None), type)


def readable(thing: object) -> dict[str, object]:
    """All values that can be reached from an object, by the way to them.

    Attributes and methods without arguments that have no leading underscore, members of collections, the memory behind
    arrays (``base``, buffers, array interfaces), frames and pickles.
    """
    found: dict[str, object] = {}
    seen: dict[int, object] = {}  # with what was seen, so that no identity is used twice
    waiting: list[tuple[str, object, tuple[object, ...]]] = [("", thing, ())]
    while waiting:
        way, one, before = waiting.pop()
        if isinstance(one, (float, np.floating)):
            found[way] = "nan" if math.isnan(one) else float(one)
        elif isinstance(one, LEAVES):
            found[way] = one
        elif id(one) not in seen and not any(one is other for other in before):
            if isinstance(one, WALKED_ONCE):
                seen[id(one)] = one
            found[way] = type(one).__qualname__
            # A method that makes an object with the same method is called on the way once.
            steps = [(s, o) for s, o in _next(one) if not (s.endswith("()") and s in way)]
            waiting += [(f"{way}{step}", other, (*before, one)) for step, other in steps]
    return found


def _next(one: Any) -> list[tuple[str, Any]]:
    if isinstance(one, np.ndarray):
        return _behind_array(one)
    if isinstance(one, memoryview):
        return [("[:]", one.tobytes()), (".obj", one.obj)]
    if isinstance(one, (pl.DataFrame, pd.DataFrame)):
        return [(f"[{name}]", np.asarray(one[name].to_numpy())) for name in one.columns] + _pickled(one)
    if isinstance(one, (Mapping, set, frozenset)):
        members = one.items() if isinstance(one, Mapping) else [(n, n) for n in one]
        return [(f"[{name!r}]", member) for name, member in members]
    if isinstance(one, (list, tuple)):
        return [(f"[{n}]", member) for n, member in enumerate(one)] + (_public(one) if type(one) is not tuple else [])
    return _public(one)


def _behind_array(column: np.ndarray) -> list[tuple[str, Any]]:
    values = np.nan_to_num(column, nan=-9e99) if column.dtype.kind == "f" else column
    interface = column.__array_interface__
    steps: list[tuple[str, Any]] = [
        ("", values.tolist() if column.dtype.kind == "O" else values.tobytes()),
        (".shape", interface["shape"]),
        (".base", column.base),
    ]
    return steps if column.dtype.kind in "OM" else [*steps, (".data", column.data), *_pickled(column)]


def _pickled(one: object) -> list[tuple[str, Any]]:
    buffers: list[pickle.PickleBuffer] = []
    pickle.dumps(one, protocol=5, buffer_callback=buffers.append)
    return [(f".buffer({n})", buffer.raw()) for n, buffer in enumerate(buffers)]


def _public(one: Any) -> list[tuple[str, Any]]:
    if type(one).__module__.partition(".")[0] != "openbell" and not hasattr(type(one), "context"):
        return []
    steps = []
    for name in dir(one):
        if name.startswith("_"):
            continue
        try:
            value = getattr(one, name)
        except OpenbellError as refused:  # such as orders in a session that does not trade
            steps.append((f".{name}!", str(refused)))
            continue
        if callable(value) and hasattr(value, "__func__"):
            name, value = f"{name}()", _called(value)
        steps.append((f".{name}", value))
    if isinstance(one, IndicatorData):
        steps += [(f".output({name!r})", one.output(name)) for name in one.outputs]
    if isinstance(one, BarIntervalData) and len(one):
        steps.append((".last(bars=1)", one.last(bars=1)))
    copied = _copied(one)
    return steps if copied is None else [*steps, ("!pickled", _parts(copied))]


def _copied(one: object) -> object:
    """A copy by way of pickle; None when it refuses."""
    try:
        return pickle.loads(pickle.dumps(one))
    except (TypeError, AttributeError, pickle.PicklingError) as refused:
        if "pickle" not in str(refused):
            raise
        return None


def _parts(one: object) -> dict[str, Any]:
    """What a copy holds, private parts included: whoever has a copy may take it apart."""
    if hasattr(one, "__dict__"):
        return vars(one)
    names = [n for c in type(one).__mro__ for n in getattr(c, "__slots__", ()) if n != "__weakref__"]
    return {name: getattr(one, name) for name in names if hasattr(one, name)}


def _called(method: Any) -> Any:
    try:
        return method()
    except OpenbellError as refused:
        return str(refused)
    except TypeError as refused:  # it takes arguments
        if "argument" not in str(refused):
            raise
        return None
