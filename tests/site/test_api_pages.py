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
    "openbell.compat.coordinator.CompatCoordinator": "the base of SessionCoordinator, with names of the seed",
    "openbell.components.configured.ConfiguredClasses": "what a SessionCoordinator makes components of",
    "openbell.config.costs.ModelConfig": "the base of config classes, which are there",
    "openbell.config.strict_model.StrictModel": "the base of config classes, which are there",
    "openbell.market_data.cache.BarCache": "what a DataManager keeps its bars in",
    "openbell.market_data.bar_requests.LoadSettings": "likewise",
    "openbell.model.frozen.Frozen": "the base of classes that never change",
    "openbell.session.cursor.Cursor": "how a series knows which of its bars have closed",
    "openbell.session.cursor.Memo": "what answers are remembered in",
    "openbell.store.manifest.Manifest": "what a store knows of its files",
}
"""Classes that members meant for the engine return, with what they are."""

GIVEN_TO_EXTENSIONS = (
    "openbell.provisioning.context.ProvisioningContext",
    "openbell.provisioning.provisioner.Provisioner",
    "openbell.provisioning.validation.Evidence",
)
"""Classes of what rules, steps and operations are called with, or call."""

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
    found = reachable([*roots, *GIVEN_TO_EXTENSIONS], FOR_THE_ENGINE)

    assert found - set(homes(listed())) - FOR_THE_ENGINE.keys() == set(), f"add them to a page of {API}"
    assert FOR_THE_ENGINE.keys() <= found, "a class that nobody can reach needs no excuse"


def test_the_search_sees_what_members_return() -> None:
    found = reachable(["openbell.session.data.SessionData"])

    assert "openbell.session.series.BarIntervalData" in found
    assert "openbell.market_data.completeness.Gap" in found
    assert "openbell.store.store.BarStore" not in found


def test_it_sees_attributes_that_are_set_when_an_object_is_made_and_types_under_another_name() -> None:
    found = reachable(["openbell.timing.time_manager.TimeManager", "openbell.config.execution.ExecutionConfig"])

    assert "openbell.timing.clock.Clock" in found
    assert "openbell.config.costs.FeesConfig" in found
