"""Small examples to begin with, each with a config and a test."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "Kind", "files_of", "module_name"]

Kind: TypeAlias = Literal["strategy", "scanner", "indicator", "provider"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_FILES = {"py": "{}.py", "yaml": "{}.yaml", "test": "test_{}.py"}


def module_name(name: str) -> str:
    """Return the name of a Python module for a name, such as "my_idea" for "my idea".

    Raises:
        ConfigError: The name makes no module name, or would hide a module of Python or one that openbell needs.
    """
    words = re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip().removesuffix(".py"))).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", words) or keyword.iskeyword(words):
        raise ConfigError(f"{name!r} cannot be the name of a file and a class. Write a word or two, such as my_idea.")
    if words in sys.stdlib_module_names or words in ("openbell", "polars", "numpy", "talib", "pytest", "websockets"):
        raise ConfigError(f"{words}.py would hide the module {words} from every program here. Choose another name.")
    return words


def files_of(kind: Kind, module: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of an example, its config and its test, by file name.

    Args:
        kind: The kind of example.
        module: The name of the module, as `module_name` returns it.
        values: The values for the config, as YAML: exchange, store, first, last, symbols, some, universe.
    """
    cls = "".join(word.capitalize() for word in module.split("_"))
    if kind == "indicator":
        cls = f"Reads{cls}"
    folder = files("openbell.examples") / "templates"
    return {
        name.format(module): Template((folder / f"{kind}.{form}.txt").read_text(encoding="utf-8")).substitute(
            values, module=module, cls=cls
        )
        for form, name in _FILES.items()
    }
