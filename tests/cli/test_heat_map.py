"""Heat maps show numbers or, of a large grid, digits, the darker the better."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from openbell.cli.output.heat_map import heat_map, is_dense
from openbell.sweeps.plateau import Grid


def drawn(grid: Grid, objective: str = "sharpe", *, colour: bool = False) -> list[str]:
    console = Console(file=StringIO(), width=100, color_system="256" if colour else None, force_terminal=colour)
    console.print(heat_map(grid, "fast", objective))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()[2:]  # without the head


SMALL = Grid(("fast", [5, 10]), ("slow", [20, 40]), [[1.0, -0.5], [None, 2.0]])
LARGE = Grid(("fast", [1, 2]), ("slow", [*range(20)]), [[float(n) for n in range(20)], [None] * 19 + [19.0]])


def test_a_small_grid_shows_numbers() -> None:
    assert not is_dense(SMALL)
    assert [line.split() for line in drawn(SMALL)] == [["5", "1.00", "-0.50"], ["10", "-", "2.00"]]


@pytest.mark.parametrize(
    ("objective", "darkest", "lightest"), [("sharpe", "2.00", "-0.50"), ("volatility", "-50.00%", "200.00%")]
)
def test_the_best_is_the_darkest(objective: str, darkest: str, lightest: str) -> None:
    shown = "".join(drawn(SMALL, objective, colour=True))

    assert f"48;5;24m{darkest}" in shown
    assert f"48;5;195m{lightest}" in shown


def test_a_large_grid_shows_digits() -> None:
    assert is_dense(LARGE)
    first, second = drawn(LARGE)
    assert first.split() == ["1", "".join(str(min(int(n / 19 * 10), 9)) for n in range(20))]
    assert second.split() == ["2", "9"], "and blanks where there is no point"
    assert second.index("9") == len(first.rstrip()) - 1


def test_points_that_are_all_equal() -> None:
    assert [line.split() for line in drawn(Grid(SMALL.rows, SMALL.columns, [[1.0, 1.0], [1.0, 1.0]]))] == [
        ["5", "1.00", "1.00"],
        ["10", "1.00", "1.00"],
    ]
