"""An indicator as a config, a scanner or a strategy asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from openbell.config.error_messages import raises_config_error
from openbell.config.fields import IntervalText, Number, Params
from openbell.config.strict_model import describe_properties

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from openbell.model.json_object import JsonObject

__all__ = ["IndicatorConfig"]


@raises_config_error
@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class IndicatorConfig:
    """An indicator on bars of one interval, such as ``IndicatorConfig("ema", period=10, interval="5m")``.

    Hashable and equal by value. `openbell.indicators` checks later whether the name and the parameters exist.

    Raises:
        ConfigError: A value is invalid.
    """

    name: Annotated[str, Field(min_length=1, strict=True)]
    """The indicator's name; `openbell indicators` lists all. Upper and lower case are the same."""
    period: Number | None = None
    """The main length parameter, in bars; left out, the indicator's own default holds."""
    interval: IntervalText = "1m"
    """The interval of the bars that it reads."""
    params: Params = Field(default_factory=dict, validate_default=True)
    """Further parameters by name."""

    @field_validator("name")
    @classmethod
    def _lower_case(cls, name: str) -> str:
        return name.strip().lower()

    @field_validator("period")
    @classmethod
    def _above_zero(cls, period: float | None) -> float | None:
        if period is not None and period <= 0:
            raise ValueError(f"must be above 0, not {period}")
        return period

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return describe_properties(cls, core_schema, handler)

    def __hash__(self) -> int:
        return hash((self.name, self.period, self.interval, frozenset(self.params.items())))

    def __reduce__(self) -> tuple[type[IndicatorConfig], tuple[Any, ...]]:
        # params is a mappingproxy, which can be neither pickled nor copied.
        return type(self), (self.name, self.period, self.interval, dict(self.params))
