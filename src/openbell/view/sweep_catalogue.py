"""Catalogue of the sweeps that are shown, each with an id that does not reveal its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.view.run_catalogue import UnknownRunError, id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["KnownSweep", "SweepCatalogue"]

_MARK = "sweep.json"
_USUAL = "sweeps"


class KnownSweep(NamedTuple):
    """A sweep with its id.

    Attributes:
        id: Its name in addresses, a hash of its path.
        folder: Its folder.
        begun: When it was begun or resumed, in seconds since 1970 UTC.
    """

    id: str
    folder: Path
    begun: float

    @property
    def name(self) -> str:
        """Name of the sweep's folder."""
        return self.folder.name


class SweepCatalogue:
    """The sweeps in the folders of runs, and in folders named "sweeps" beside these.

    Args:
        places: Returns the folders that hold runs, or are runs.
    """

    def __init__(self, places: Callable[[], Sequence[Path]]) -> None:
        self._places = places

    def sweeps(self) -> list[KnownSweep]:
        """Return all sweeps, the last begun first."""
        return sorted(self._found(), key=lambda one: -one.begun)

    def sweep(self, sweep_id: str) -> KnownSweep:
        """Return the sweep with an id.

        Raises:
            UnknownRunError: There is none.
        """
        found = next((one for one in self._found() if one.id == sweep_id), None)
        if found is None:
            raise UnknownRunError("there is no such sweep. It may have been moved or removed: see the list of sweeps.")
        return found

    def _found(self) -> Iterator[KnownSweep]:
        folders: dict[Path, None] = {}
        for place in self._places():
            for one in (place, place.parent / _USUAL):
                folders |= dict.fromkeys(_sweeps_in(one))
        for folder in folders:
            try:
                yield KnownSweep(id_of(folder), folder, (folder / _MARK).stat().st_mtime)
            except OSError:
                continue  # the sweep was removed meanwhile


def _sweeps_in(folder: Path) -> Iterator[Path]:
    try:
        if (folder / _MARK).is_file():
            yield folder
        elif folder.is_dir():
            yield from (one for one in sorted(folder.iterdir()) if (one / _MARK).is_file())
    except OSError:
        return  # the folder may not be read
