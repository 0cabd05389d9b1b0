"""Config of fee and slippage models, by name and parameters."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from openbell.config.strict_model import StrictModel

__all__ = ["Fees", "FeesConfig", "ModelConfig", "Slippage", "SlippageConfig"]


class ModelConfig(StrictModel):
    """A cost model by its name, with its parameters beside it.

    Name and parameters are checked against the registries of `openbell.execution` later, and not here.
    """

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)

    @property
    def params(self) -> dict[str, bool | float | str]:
        """The parameters that are written beside the name."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _parameters_are_plain(self) -> ModelConfig:
        for name, value in self.params.items():
            if not isinstance(value, bool | int | float | str) or (isinstance(value, float) and not isfinite(value)):
                raise ValueError(f"parameter {name!r} must be a number, text, true or false, not {value!r}")
        return self


class FeesConfig(ModelConfig):
    """Fees of trading."""

    model: Annotated[str, Field(min_length=1, strict=True)] = "none"
    """The fee model: none, per_share, percent, ibkr_fixed, ibkr_tiered, alpaca or maker_taker; its parameters stand
    beside it."""


class SlippageConfig(ModelConfig):
    """Slippage of orders that take the market's price."""

    model: Annotated[str, Field(min_length=1, strict=True)] = "none"
    """The slippage model: none, bps, spread or volume_share; its parameters stand beside it."""


def _names_its_model(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(f"must be a mapping, not {value!r}. Write {{model: {value or 'none'}}}.")
    if isinstance(value, dict) and value and "model" not in value:
        raise ValueError(f"it names no model. Write model: beside {', '.join(map(str, value))}.")
    return value


Fees: TypeAlias = Annotated[FeesConfig, BeforeValidator(_names_its_model)]
"""A fee model with its parameters."""

Slippage: TypeAlias = Annotated[SlippageConfig, BeforeValidator(_names_its_model)]
"""A slippage model with its parameters."""
