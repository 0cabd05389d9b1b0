"""Pages of sweeps show what `openbell sweep report` says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import openbell
from openbell.config.sweep import OBJECTIVES
from openbell.results.measures.unavailable import Unavailable
from openbell.sweeps.stored_sweep import read_stored_sweep
from openbell.sweeps.walk_forward import MEASURED, Windows
from openbell.view.server import ViewServer
from sweeps_parts import FAST, SLOW, make_folder
from view.conftest import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from view.conftest import Served

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of four points, beside folders of runs."""
    days = {"start_date": "2024-06-20", "end_date": "2024-07-05"}
    session = make_folder(demo_master, tmp_path_factory.mktemp("swept") / "session", backtest_config=days)
    out = session.parent / "sweeps" / "<b>four"
    openbell.sweep(session, {FAST: [3, 5], SLOW: [10, 20]}, out=out)
    return out


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    runs = folder.parent.parent / "runs"
    yield from start(ViewServer(lambda: [runs]), runs)


def place_of(served: Served) -> str:
    found = re.search(r'href="(/sweep/[0-9a-f]{12})"', served.ask("/sweeps").text)
    assert found is not None
    return found[1]


def test_sweeps_beside_runs_are_listed_with_how_much_was_tried(served: Served) -> None:
    page = served.ask("/sweeps").text

    assert "4 of 4" in page
    assert "&lt;b&gt;four" in page
    assert "<b>four" not in page


def test_a_sweep_has_its_points_heat_map_neighbours_and_luck(served: Served, folder: Path) -> None:
    page = served.ask(place_of(served)).text
    sweep = read_stored_sweep(folder)

    best = int(sweep.frame.sort("sharpe", "point", descending=[True, False])["point"][0])
    deflated = sweep.deflated_sharpe(best)
    assert not isinstance(deflated, Unavailable)
    assert f"{deflated:,.2%}" in page
    assert page.count('class="number shade') == 4
    assert f"Beside point {best}" in page
    assert "median " in page
    assert "<b>4</b>" in page


def test_a_walk_forward_is_made_of_what_is_asked_for(served: Served, folder: Path) -> None:
    place = place_of(served)

    page = served.ask(f"{place}?train=4&test=2&purge=0").text

    walked = read_stored_sweep(folder).walk_forward(Windows(4, 2))
    other = next(name for name in OBJECTIVES if name not in MEASURED)
    assert f"{walked.total_return:+,.2%}" in page
    assert page.count('<td class="when">') == 2 * len(walked.windows)
    assert '"daily":true' in page
    assert "needs" in served.ask(f"{place}?train=400").text
    assert "choose one of them" in served.ask(f"{place}?objective={other}").text
    assert served.ask(f"{place}?train=x").status == 422
    assert served.ask(f"{place}?objective=luck").status == 422
    assert served.ask("/sweep/000000000000").status == 404
