"""The options that the commands about stores share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from openbell.errors import ConfigError

__all__ = ["AsJson", "ExistingStore", "Store", "store_folder"]

_DEFAULT_STORE = Path("store")

Store = Annotated[
    Path | None, typer.Option("--store", help="The store's folder; made if it is not there. Default: ./store if it is.")
]
ExistingStore = Annotated[
    Path | None, typer.Option("--store", help="The store's folder. Default: ./store if it is there.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def store_folder(given: Path | None) -> Path:
    """Return the store's folder, which is ./store unless one is given.

    Raises:
        ConfigError: None is given, and there is no ./store.
    """
    if given is not None:
        return given
    if _DEFAULT_STORE.is_dir():
        return _DEFAULT_STORE
    raise ConfigError(f"which store? Say --store FOLDER (without it, ./{_DEFAULT_STORE} is used if it is there).")
