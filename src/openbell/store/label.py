"""The label of a store, one line on what its bars are, such as that they are synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import command_on
from openbell.store.backing import backing_of, until_committed
from openbell.store.checksum import sha256_of
from openbell.store.data_file import damaged_file
from openbell.store.layout import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.model.address import Place
    from openbell.store.side_files import SideEntry

__all__ = ["LABEL", "read_label", "write_label"]

_WAIT_S = 30.0


def read_label(store: Place, listed: Mapping[str, SideEntry] | None = None) -> str | None:
    """Return the label of a store, which is the first line of its file, or None.

    Args:
        store: The store's folder or address.
        listed: The files beside the bars that the current manifest lists, if the caller has it; else it is read.

    Raises:
        DamagedFileError: The label is lost or is not what was stored.
    """
    backing = backing_of(store)
    known, anew = (backing.side_files() if listed is None else listed).get(LABEL), "Write its text again, or delete it."
    again = f"Write it again with `{command_on('data repair', store)}`." if known else anew
    try:
        content = backing.side_content(LABEL)
    except OSError as exc:
        raise damaged_file(store / LABEL, exc.strerror or str(exc), again) from exc
    if known is not None and (content is None or sha256_of(content) != known.sha256):
        problem = "it is missing" if content is None else "its content is not what was stored"
        raise damaged_file(store / LABEL, problem, again)
    try:
        first_line, _, _ = (content or b"").decode().partition("\n")
    except ValueError as exc:
        raise damaged_file(store / LABEL, str(exc), anew) from exc
    return first_line.strip() or None


def write_label(store: Place, text: str) -> None:
    """Label a store.

    The label is on disk when this returns.

    Raises:
        StoreError: Another process is writing, or the disk is full.
    """
    backing = backing_of(store)
    with backing.lock(_WAIT_S):
        until_committed(lambda: backing.commit(backing.heal(), {}, {LABEL: text.encode()}))
