"""One test for each group of indicators: a test for each of 200 of them costs more to start than to run."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from openbell import indicators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def each_of(names: Iterable[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test that takes a ``name`` for each of these indicators, and name all with which it fails."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(indicators.get(name).group, []).append(name)

    def of_test(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def of_group(*args: Any, group: str, **fixtures: Any) -> None:
            failed = []
            for name in groups[group]:
                try:
                    test(*args, name=name, **fixtures)
                except Exception as error:  # noqa: BLE001  # all that fail are named, at the end
                    error.add_note(f"with the indicator {name}")
                    failed.append(error)
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(groups[group])} indicators", failed)

        taken = inspect.signature(test).parameters
        grouped = [p.replace(name="group") if p.name == "name" else p for p in taken.values()]
        of_group.__signature__ = inspect.Signature(grouped)  # type: ignore[attr-defined]  # pytest reads it
        return pytest.mark.parametrize("group", groups)(of_group)

    return of_test
