"""Points that optuna proposes by the results of earlier points."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from openbell.errors import ConfigError
from openbell.sweeps.space import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from openbell.sweeps.space import Space

__all__ = ["BATCH", "proposed_points", "require_optuna"]

BATCH = 10
"""Number of points that are proposed at once; fixed, so that points do not depend on the number of processes."""

_MOST_REFUSED = 30
"""Number of unusable proposals in a batch after which randomly drawn points are used in between."""


def require_optuna() -> ModuleType:
    """Return the package optuna.

    Raises:
        ConfigError: The package is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise ConfigError(
            "--optuna needs the package optuna. Install it with: pip install 'openbell[optuna]'"
        ) from None
    return optuna


def proposed_points(
    space: Space, spare: Sequence[Point], seed: int, score: Callable[[int], float | None], *, minimise: bool = False
) -> Iterator[list[Point]]:
    """Yield distinct points batch by batch, as many as there are spare ones.

    The same seed proposes the same points as long as points have the same scores. So a sweep that is resumed after it
    was killed finds its points done.

    Args:
        space: The values of each key, and what points must meet.
        spare: Randomly drawn points, which are used when too many proposals are repeated or refused.
        seed: The seed of the proposals.
        score: Returns the objective of a point by its number, None when it has none; called when its batch is done.
        minimise: Whether the smallest score is best.
    """
    study = _Study(space, seed, minimise=minimise)
    numbers: dict[tuple[int, ...], int] = {}
    drawn = (study.place_of(point.values) for point in spare)
    while len(numbers) < len(spare):
        batch: list[Point] = []
        scored: list[tuple[Any, int]] = []
        refused = 0
        while len(batch) < BATCH and len(numbers) < len(spare):
            if refused >= _MOST_REFUSED:
                study.enqueue(next(place for place in drawn if place not in numbers))
            trial, place = study.ask()
            values = space.at(place)
            if not space.meets(values):
                study.tell(trial, None)
                refused += 1
                continue
            if place in numbers:
                refused += 1
            else:
                numbers[place] = len(numbers) + 1
                batch.append(Point(numbers[place], values))
            scored.append((trial, numbers[place]))
        yield batch
        for trial, number in scored:
            study.tell(trial, score(number))


class _Study:
    """A study of optuna.

    In it, a point is given by the positions of its values in the lists of values.
    """

    def __init__(self, space: Space, seed: int, *, minimise: bool) -> None:
        self._optuna = optuna = require_optuna()
        self._lists = space.values
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # The points of a batch are proposed without each other's results: a constant liar keeps them apart.
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="minimize" if minimise else "maximize", sampler=sampler)
        self._distributions = {key: self._distribution(values) for key, values in space.values.items()}

    def _distribution(self, values: Sequence[Any]) -> Any:
        kinds = self._optuna.distributions
        if _is_ordered(values):
            return kinds.IntDistribution(0, len(values) - 1)
        return kinds.CategoricalDistribution(tuple(range(len(values))))

    def ask(self) -> tuple[Any, tuple[int, ...]]:
        """Return a new trial, and the positions of its values."""
        trial = self._study.ask(self._distributions)
        return trial, tuple(trial.params[key] for key in self._lists)

    def tell(self, trial: Any, score: float | None) -> None:
        """Report the score of a trial to optuna, where a missing one counts as the worst."""
        if score is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, score)

    def enqueue(self, place: tuple[int, ...]) -> None:
        """Let optuna propose a point next."""
        self._study.enqueue_trial(dict(zip(self._lists, place, strict=True)))

    def place_of(self, values: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the positions of a point's values."""
        return tuple(_index(self._lists[key], value) for key, value in values.items())


def _index(values: Sequence[Any], value: object) -> int:
    return next(at for at, other in enumerate(values) if other is value)


def _is_ordered(values: Sequence[Any]) -> bool:
    """Return whether values are numbers in ascending or descending order."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return False
    return list(values) in (sorted(values), sorted(values, reverse=True))
