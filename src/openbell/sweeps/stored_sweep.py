"""Sweeps read from their folders, with measures of overfitting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from openbell.config import load_config
from openbell.errors import ConfigError, shortened
from openbell.indicators.bars_per_year import bars_per_year
from openbell.model.interval import parse_interval
from openbell.results.measures.returns import rate_of_session
from openbell.results.measures.unavailable import Number, Unavailable
from openbell.sweeps.overfitting import deflated_sharpe, overfitting_probability, sharpe_ratios
from openbell.sweeps.sweep import points_tried
from openbell.sweeps.walk_forward import Measure, WalkForward, Windows, walk_forward
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["StoredSweep", "read_stored_sweep"]


@dataclass(frozen=True)
class StoredSweep:
    """A sweep as stored in its folder.

    Attributes:
        folder: The folder.
        space: The values of each key.
        objective: The number by which points are compared.
        planned: How many points the sweep has.
        frame: The table of the points that are done.
        tried: How many points were ever run in the folder.
    """

    folder: Path
    space: Mapping[str, Sequence[Any]]
    objective: str
    planned: int
    frame: pl.DataFrame
    tried: int

    @cached_property
    def _traded(self) -> pl.DataFrame:
        return self.frame.filter((pl.col("state") == "done") & (pl.col("returns").list.len() > 0))

    @cached_property
    def days(self) -> list[date]:
        """Sessions of the points that traded, empty unless all have the same."""
        spans = self._traded["days"].unique()
        return list(spans[0]) if len(spans) == 1 else []

    @cached_property
    def returns(self) -> NDArray[np.float64]:
        """Returns, with a row for each session of `days` and a column for each point that traded."""
        return np.array(self._traded["returns"].to_list()).T if self.days else np.empty((0, 0))

    @property
    def numbers(self) -> list[int]:
        """Numbers of the points in the columns of `returns`."""
        return self._traded["point"].to_list()

    def deflated_sharpe(self, number: int) -> Number:
        """Return the probability that a point's Sharpe ratio is above zero, given how many points were tried."""
        if not self.days:
            return self._no_returns()
        ratios = sharpe_ratios(self.returns)
        return deflated_sharpe(self.returns[:, self.numbers.index(number)], ratios, self.tried)

    def overfitting_probability(self) -> Number:
        """Return how often the best point on half of the sessions is below the median on the other half."""
        return overfitting_probability(self.returns) if self.days else self._no_returns()

    def walk_forward(self, cut: Windows, objective: str | None = None) -> WalkForward:
        """Return a walk-forward over the points that traded.

        Args:
            cut: The lengths of training and test.
            objective: The number by which points are chosen; that of the sweep unless given.

        Raises:
            ConfigError: There are too few sessions, the points have different ones, or the objective takes more than
                returns.
        """
        if not self.days:
            raise ConfigError(f"there is no walk-forward: {self._no_returns().reason}.")
        config = load_config(self.folder / "config.json")
        calendar = TimeManager(config.exchange)
        per_year = bars_per_year(calendar.grid(calendar.first_day, calendar.first_day), parse_interval("1d"))
        yearly = 0.0 if config.execution is None else config.execution.risk_free_rate
        by = Measure(objective or self.objective, per_year, rate_of_session(yearly, per_year))
        return walk_forward(self.returns, self.days, self.numbers, by, cut)

    @property
    def warm_up(self) -> int:
        """Most sessions of history that any series of a point had before a session."""
        return int(self._traded["warm_up"].max() or 0)  # type: ignore[arg-type]  # the column has integers

    def _no_returns(self) -> Unavailable:
        if not len(self._traded):
            return Unavailable("no point has traded")
        return Unavailable("the points were not run on the same sessions")


def read_stored_sweep(folder: Path) -> StoredSweep:
    """Read the folder of a sweep, which may still be running.

    Raises:
        ConfigError: The folder is none of a sweep, no point is done yet, or a file cannot be read.
    """
    if not (folder / "sweep.json").is_file():
        raise ConfigError(f"{folder} is not the folder of a sweep: it has no sweep.json.")
    try:
        about = json.loads((folder / "sweep.json").read_bytes())
        frame = pl.read_parquet(folder / "points.parquet")
        return StoredSweep(folder, about["space"], about["objective"], about["points"], frame, points_tried(folder))
    except FileNotFoundError:
        raise ConfigError(f"no point of the sweep in {folder} is done yet.") from None
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"the sweep in {folder} cannot be read: {shortened(str(error))}") from None
