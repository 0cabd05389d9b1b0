"""The objects that killed writers have left, which no manifest lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.store.objects.naming import OWN_OBJECT, listed_objects, new_mark

if TYPE_CHECKING:
    from openbell.store.objects.backing import ObjectBacking

__all__ = ["sweep", "unlisted"]


def unlisted(store: ObjectBacking) -> dict[str, int]:
    """Return the objects that the manifest does not list, with their sizes.

    Some may belong to a writer that is still at work.
    """
    there = list(store.objects.sizes())
    listed = listed_objects(store.heal())
    return {name: size for name, size in there if name not in listed and OWN_OBJECT.fullmatch(name)}


def sweep(store: ObjectBacking) -> int:
    """Delete the objects that the manifest does not list, and return how many they were.

    The manifest is exchanged first, so that the commit of a writer that has stored objects but not yet listed them
    fails, and the writer stores them again under other names.
    """
    found = unlisted(store)
    if not found:
        return 0
    mark = new_mark()
    while not store.current().exchange(now := store.heal(), now, mark, swept=mark):
        continue
    gone = found.keys() - listed_objects(store.heal())
    store.objects.delete(gone)
    return len(gone)
