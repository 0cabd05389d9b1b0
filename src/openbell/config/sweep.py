"""Config of a sweep, which runs a session many times over a space of values."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from openbell.config.key_path import place_of, text_of
from openbell.config.strict_model import StrictModel
from openbell.config.sweep_condition import Condition
from openbell.config.sweep_values import read_values

__all__ = ["OBJECTIVES", "Objective", "SweepConfig", "sign_of"]

Objective: TypeAlias = Literal[
    "sharpe",
    "sortino",
    "calmar",
    "cagr",
    "total_return",
    "net_profit",
    "end_equity",
    "max_drawdown",
    "volatility",
    "profit_factor",
    "win_rate",
    "expectancy",
    "alpha",
    "information_ratio",
]
"""A number of a run's performance by which points are compared."""

OBJECTIVES: tuple[str, ...] = get_args(Objective)


def sign_of(objective: str) -> int:
    """Return 1 for an objective whose largest number is best, and -1 for one whose smallest is."""
    return -1 if objective == "volatility" else 1


Values: TypeAlias = Annotated[
    tuple[Any, ...],
    BeforeValidator(read_values),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "minItems": 1},
                {"type": ["string", "number", "boolean"]},
            ]
        }
    ),
]
"""Values of one key."""


def _canonical(space: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for key, values in space.items():
        name = text_of(place_of(key))
        if name in found:
            raise ValueError(f"{name} occurs twice. Write all its values in one list.")
        if place_of(name)[0] == "sweep":
            raise ValueError(f"{name} is a key of the sweep itself, which cannot vary.")
        found[name] = values
    return found


class SweepConfig(StrictModel):
    """Space of values at whose points a session is run."""

    space: Annotated[dict[str, Values], AfterValidator(_canonical), Field(min_length=1)]
    """What varies: by the place of a key in this config (strategies.0.config.fast), a list of values, or a range
    first:last:step with both ends."""
    where: tuple[str, ...] = ()
    """Conditions that points must meet, such as "fast < slow"; a key is written whole or by its end."""
    objective: Objective = "sharpe"
    """The number of the performance by which points are compared."""
    random: Annotated[int, Field(ge=1, strict=True)] | None = None
    """How many points are drawn; all of the grid unless given."""
    optuna: Annotated[int, Field(ge=1, strict=True)] | None = None
    """How many points optuna proposes, by the results of those before them; in place of random."""
    seed: Annotated[int, Field(ge=0, strict=True)] = 0
    """The random seed of draws and proposals: the same seed draws the same points."""

    @field_validator("where", mode="before")
    @classmethod
    def _one_or_many(cls, where: object) -> object:
        return [where] if isinstance(where, str) else where

    @field_validator("optuna")
    @classmethod
    def _one_way(cls, optuna: int | None, info: ValidationInfo) -> int | None:
        if optuna is not None and info.data.get("random") is not None:
            raise ValueError("points are drawn (random) or proposed (optuna), not both. Name one of the two.")
        return optuna

    @field_validator("where")
    @classmethod
    def _conditions(cls, where: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for text in where if "space" in info.data else ():
            Condition.of(text, info.data["space"])
        return where
