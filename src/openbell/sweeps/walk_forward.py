"""Walk-forward of a sweep, where points are chosen on some sessions and judged on those that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.config.sweep import sign_of
from openbell.errors import ConfigError
from openbell.results.measures import returns as measures
from openbell.results.measures.unavailable import Number, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.json_object import JsonObject

__all__ = ["MEASURED", "Measure", "WalkForward", "Window", "Windows", "walk_forward"]

MEASURED = ("sharpe", "sortino", "calmar", "cagr", "total_return", "max_drawdown", "volatility")
"""Numbers of the performance that can be computed from returns by session."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of the performance that is computed from returns by session.

    Attributes:
        name: One of `MEASURED`.
        per_year: Sessions per year.
        rate: The risk-free rate of a session.

    Raises:
        ConfigError: The number takes more than returns.
    """

    name: str
    per_year: float
    rate: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in MEASURED:
            raise ConfigError(
                f"a walk-forward cannot go by {self.name}, which takes more than returns by session. It goes by "
                f"{', '.join(MEASURED)}: name one with --objective."
            )

    def of(self, returns: NDArray[np.float64]) -> float | None:
        """Return the number for some returns, or None when it is not defined."""
        found = self._of(returns, np.asarray(np.cumprod(1 + returns), np.float64))
        return None if isinstance(found, Unavailable) else found

    def _of(self, returns: NDArray[np.float64], equity: NDArray[np.float64]) -> Number:
        match self.name:
            case "sharpe":
                return measures.sharpe(returns, self.per_year, self.rate)
            case "sortino":
                return measures.sortino(returns, self.per_year, self.rate)
            case "volatility":
                return measures.volatility(returns, self.per_year)
            case "total_return":
                return float(equity[-1] - 1)
            case "max_drawdown":
                return measures.max_drawdown(1.0, equity)
        growth = measures.cagr(1.0, float(equity[-1]), len(returns), self.per_year)
        return growth if self.name == "cagr" else measures.calmar(growth, measures.max_drawdown(1.0, equity))


@dataclass(frozen=True, slots=True)
class Windows:
    """Lengths of training and test in sessions.

    Attributes:
        train: Sessions on which a point is chosen.
        test: Sessions after those, on which the point is judged.
        purge: Sessions between the two that count for neither.
        anchored: Whether training always begins with the first session, and so grows from window to window.
    """

    train: int
    test: int
    purge: int = 0
    anchored: bool = False

    def cut(self, sessions: int) -> list[tuple[slice, slice]]:
        """Return the rows of training and test of each window, with tests that follow each other without a gap.

        Raises:
            ConfigError: There are too few sessions for one window.
        """
        whole = self.train + self.purge + self.test
        if sessions < whole:
            raise ConfigError(
                f"a walk-forward of {self.train} + {self.purge} + {self.test} sessions (train, purge, test) needs "
                f"{whole}, and the sweep has {sessions}. Take shorter windows, or sweep more days."
            )
        found = []
        for begin in range(0, sessions - whole + 1, self.test):
            end = begin + self.train
            tested = end + self.purge
            found.append((slice(0 if self.anchored else begin, end), slice(tested, tested + self.test)))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window.

    Attributes:
        trained: First and last session of training.
        tested: First and last session of the test.
        point: The number of the point that was best in training; None when no point had an objective.
        inside: The objective of that point in training; None without one.
        outside: The objective of that point in the test; None without one.
    """

    trained: tuple[date, date]
    tested: tuple[date, date]
    point: int | None
    inside: float | None
    outside: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkForward:
    """A walk-forward.

    Attributes:
        objective: The number by which points were chosen.
        cut: How sessions were cut.
        windows: The windows, in order of time.
        days: The sessions of all tests.
        returns: The returns of the chosen points in these sessions.
        inside: The mean of the objective in training, over the windows that have both; None without any.
        outside: The mean of the objective in the tests, over the same windows.
        overall: The objective over all tests together; None when it is not defined.
        total_return: The total return of the chosen points over all tests.
    """

    objective: str
    cut: Windows
    windows: Sequence[Window]
    days: Sequence[date]
    returns: NDArray[np.float64]
    inside: float | None
    outside: float | None
    overall: float | None
    total_return: float

    def to_dict(self) -> JsonObject:
        """Return the walk-forward as a JSON object."""
        return {
            "train": self.cut.train,
            "purge": self.cut.purge,
            "test": self.cut.test,
            "anchored": self.cut.anchored,
            "windows": [
                {
                    "train_first": w.trained[0], "train_last": w.trained[1], "test_first": w.tested[0],
                    "test_last": w.tested[1], "point": w.point, "in_sample": w.inside, "out_of_sample": w.outside,
                }
                for w in self.windows
            ],
            "in_sample": self.inside,
            "out_of_sample": self.outside,
            "overall": self.overall,
            "total_return": self.total_return,
            "days": list(self.days),
            "returns": self.returns.tolist(),
        }  # fmt: skip


def walk_forward(
    returns: NDArray[np.float64], days: Sequence[date], numbers: Sequence[int], by: Measure, cut: Windows
) -> WalkForward:
    """Choose the best point in the training of each window, and judge it in the test.

    Returns are those of one run of each point over all sessions, so that the account and its positions are carried from
    training into the test.

    Args:
        returns: A row for each session and a column for each point.
        days: The sessions.
        numbers: The numbers of the points, by column.
        by: The number by which points are chosen.
        cut: How sessions are cut.

    Raises:
        ConfigError: There are too few sessions.
    """
    windows: list[Window] = []
    chosen: list[NDArray[np.float64]] = []
    tested: list[date] = []
    for train, test in cut.cut(len(days)):
        point, inside = _best(returns[train], by)
        windows.append(
            Window(
                trained=(days[train][0], days[train][-1]),
                tested=(days[test][0], days[test][-1]),
                point=None if point is None else numbers[point],
                inside=inside,
                outside=None if point is None else by.of(returns[test, point]),
            )
        )
        chosen.append(np.zeros(cut.test) if point is None else returns[test, point])
        tested += days[test]
    joined = np.concatenate(chosen)
    both = [(w.inside, w.outside) for w in windows if w.inside is not None and w.outside is not None]
    return WalkForward(
        objective=by.name,
        cut=cut,
        windows=windows,
        days=tested,
        returns=joined,
        inside=float(np.mean([a for a, _ in both])) if both else None,
        outside=float(np.mean([b for _, b in both])) if both else None,
        overall=by.of(joined),
        total_return=float(np.prod(1 + joined) - 1),
    )


def _best(returns: NDArray[np.float64], by: Measure) -> tuple[int | None, float | None]:
    """Return the best column, the first one of equals, and its number."""
    sign = sign_of(by.name)
    best: tuple[int | None, float | None] = None, None
    for column in range(returns.shape[1]):
        number = by.of(returns[:, column])
        if number is not None and (best[1] is None or sign * number > sign * best[1]):
            best = column, number
    return best
