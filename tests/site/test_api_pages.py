"""Every name that a user can get hold of stands on one page of the API, under what it is for."""

from __future__ import annotations

import importlib
import inspect
import re
from collections import Counter
from pathlib import Path

import openbell
import openbell.testing
from site_names import home_of, reachable

API = Path(__file__).resolve().parents[2] / "docs" / "api"

FOR_THE_ENGINE = {
    "openbell.config.documented.Level": "the base of config classes, which are there",
    "openbell.market_data.cache.BarCache": "what a DataManager keeps its bars in",
    "openbell.market_data.series.CachedSeries": "likewise",
    "openbell.market_data.series.SessionRange": "likewise",
    "openbell.model.frozen.Frozen": "the base of classes that never change",
    "openbell.store.batch.Batch": "what a store is written by",
    "openbell.store.data_file.FileEntry": "what a store's manifest holds",
    "openbell.store.manifest.Base": "likewise",
    "openbell.store.manifest.Manifest": "likewise",
    "openbell.store.side_files.SideEntry": "likewise",
}
"""Classes that members meant for the engine return, with what they are."""

_DIRECTIVE = re.compile(r"^\.\. auto(?:class|exception|function|data):: (\S+)", re.MULTILINE)


def listed() -> list[str]:
    """The names on all pages, as they stand there."""
    return [name for page in sorted(API.glob("*.md")) for name in _DIRECTIVE.findall(page.read_text(encoding="utf-8"))]


def resolved(name: str) -> object:
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def homes(names: list[str]) -> list[str]:
    """The names by the modules that define them; data stay as they are."""
    found = [(name, resolved(name)) for name in names]
    return [home_of(item) if inspect.isclass(item) or inspect.isfunction(item) else name for name, item in found]


def test_every_name_stands_on_one_page() -> None:
    assert [name for name, times in Counter(homes(listed())).items() if times > 1] == []


def test_all_public_names_are_there() -> None:
    public = [f"openbell.{name}" for name in openbell.__all__ if name != "indicators"]
    public += [f"openbell.testing.{name}" for name in openbell.testing.__all__]
    public += [f"openbell.indicators.{name}" for name in openbell.indicators.__all__]

    assert set(homes(public)) - set(homes(listed())) == set()


def test_so_is_whatever_their_members_return() -> None:
    items = [getattr(openbell, name) for name in openbell.__all__]
    roots = [home_of(item) for item in items if inspect.isclass(item) or inspect.isfunction(item)]
    known = set(homes(listed()))

    missing = {name for name in reachable(roots) if name not in known and name not in FOR_THE_ENGINE}

    assert missing == set(), f"add them to a page of {API}"
    assert FOR_THE_ENGINE.keys() <= reachable(roots), "a class that nobody can reach needs no excuse"


def test_the_search_sees_what_members_return() -> None:
    found = reachable(["openbell.session.data.SessionData"])

    assert "openbell.session.series.BarIntervalData" in found
    assert "openbell.market_data.completeness.Gap" in found
    assert "openbell.store.store.BarStore" not in found
