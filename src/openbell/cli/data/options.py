"""Options that the commands about stores share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from openbell.errors import ConfigError
from openbell.model.address import Place, place_of

__all__ = ["AsJson", "ExistingStore", "RunStore", "Store", "store_folder"]

_DEFAULT_STORE = Path("store")

Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="PATH",
        help="The store's folder, or its address (s3://bucket/prefix); made if it is not there. "
        "Default: ./store if it is.",
    ),
]
ExistingStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="PATH",
        help="The store's folder, or its address (s3://bucket/prefix). Default: ./store if it is there.",
    ),
]
RunStore = Annotated[
    str | None,
    typer.Option("--store", metavar="PATH", help="The bar store, a folder or an address; overrides the config's."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def store_folder(given: str | None) -> Place:
    """Return the given folder or address of a store, ./store if none is given.

    Raises:
        ConfigError: None is given, and ./store does not exist.
    """
    if given is not None:
        return place_of(given)
    if _DEFAULT_STORE.is_dir():
        return _DEFAULT_STORE
    raise ConfigError(f"which store? Use --store FOLDER (without it, ./{_DEFAULT_STORE} is used if it is there).")
