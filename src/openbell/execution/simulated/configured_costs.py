"""Fee and slippage models as the config names them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar

from openbell.errors import ConfigError, did_you_mean
from openbell.execution.fees import FEE_MODELS
from openbell.execution.slippage import SLIPPAGE_MODELS

if TYPE_CHECKING:
    from openbell.config.costs import FeesConfig, ModelConfig, SlippageConfig
    from openbell.execution.fees import FeeModel
    from openbell.execution.slippage import SlippageModel
    from openbell.registry import Registry

__all__ = ["make_fees", "make_slippage"]

T = TypeVar("T")


def make_fees(config: FeesConfig) -> FeeModel:
    """Make the fee model of a config.

    Raises:
        UnknownNameError: There is no such model.
        ConfigError: A parameter is unknown, missing or invalid.
    """
    return _made(FEE_MODELS, config.model, config)


def make_slippage(config: SlippageConfig) -> SlippageModel:
    """Make the slippage model of a config.

    Raises:
        UnknownNameError: There is no such model.
        ConfigError: A parameter is unknown, missing or invalid.
    """
    return _made(SLIPPAGE_MODELS, config.model, config)


def _made(registry: Registry[type[T]], name: str, config: ModelConfig) -> T:
    model = registry.get(name)
    what = f"the {registry.kind} {name}"
    known = inspect.signature(model).parameters
    for given, value in config.params.items():
        if given not in known:
            hint = did_you_mean(given, known) or (f" It has {', '.join(known)}." if known else " It has none.")
            raise ConfigError(f"{what} has no parameter {given!r}.{hint}")
        switch = isinstance(known[given].default, bool)
        if switch != isinstance(value, bool) or isinstance(value, str):
            raise ConfigError(f"{given} of {what} must be {'true or false' if switch else 'a number'}, not {value!r}")
    if missing := [p.name for p in known.values() if p.default is p.empty and p.name not in config.params]:
        raise ConfigError(f"{what} needs {' and '.join(missing)}. Write {{model: {name}, {missing[0]}: ...}}.")
    return model(**config.params)
