"""Files of series, which processes of a machine map into memory."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import filelock
import numpy as np

from openbell.market_data.series import CachedSeries
from openbell.model.bars import PRICE_COLUMNS, TIME_COLUMNS, Bars, BarTimes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from openbell.market_data.series import SharedTimes

__all__ = ["SeriesFiles"]

_DIGITS = 32
_UNFINISHED = "unfinished"


class _File(NamedTuple):
    """File of one series.

    Attributes:
        first_day: The first date that it covers, in days since 1970-01-01.
        last_day: The last date, inclusive.
        times: The name of the file of its times.
    """

    first_day: int
    last_day: int
    times: str

    def __str__(self) -> str:
        return f"{self.first_day}_{self.last_day}_{self.times}.npy"


class SeriesFiles:
    """Files of the prices and volumes of series, and of their shared times.

    Args:
        folder: The folder of the files, made if missing.
        times: The times that series of this process share.

    Attributes:
        lock: The lock of the folder between processes, to be held for `find` and `put`.

    Raises:
        OSError: The folder cannot be made.
    """

    def __init__(self, folder: Path, times: SharedTimes) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._times = times
        self._known: dict[str, BarTimes] = {}
        self._names: WeakKeyDictionary[BarTimes, str] = WeakKeyDictionary()
        self.lock = filelock.FileLock(folder / "lock")

    def find(self, name: str, first_day: int, last_day: int) -> CachedSeries | None:
        """Return a series that covers a range of days, or None."""
        folder = self._folder / name
        for file in _files_in(folder):
            if file.first_day <= first_day and last_day <= file.last_day:
                return self._mapped(folder, file)
        return None

    def put(self, name: str, series: CachedSeries) -> CachedSeries:
        """Write a series, and return it as mapped from its file.

        Files of the same name whose days lie within those of the series are deleted.

        Raises:
            OSError: The folder cannot be written.
        """
        folder, times = self._folder / name, series.bars.times
        folder.mkdir(exist_ok=True)
        file = _File(series.first_day, series.last_day, self._names.get(times) or self._write_times(times))
        within = [f for f in _files_in(folder) if file.first_day <= f.first_day and f.last_day <= file.last_day]
        unfinished = folder / f"{_UNFINISHED}.npy"
        np.save(unfinished, np.stack([getattr(series.bars, column) for column in PRICE_COLUMNS]))
        unfinished.replace(folder / str(file))
        for shorter in within:
            with suppress(PermissionError):  # some systems refuse to delete a file that another process has mapped
                (folder / str(shorter)).unlink()
        return self._mapped(folder, file)

    def _mapped(self, folder: Path, file: _File) -> CachedSeries:
        # As a plain array, because a view of a memmap takes several times as long to make.
        columns: NDArray[np.float64] = np.asarray(np.load(folder / str(file), mmap_mode="r"))
        sessions = self._times.sessions(file.first_day, file.last_day)
        return CachedSeries(sessions, Bars.of(self._times_of(file.times), *columns))

    def _times_of(self, name: str) -> BarTimes:
        known = self._known.get(name)
        if known is None:
            with np.load(self._folder / f"{name}.npz") as columns:
                times = BarTimes(*(columns[column] for column in TIME_COLUMNS))
            known = self._known[name] = self._times.shared(times)
            self._names[known] = name
        return known

    def _write_times(self, times: BarTimes) -> str:
        columns = {column: getattr(times, column) for column in TIME_COLUMNS}
        name = hashlib.sha256(b"".join(column.tobytes() for column in columns.values())).hexdigest()[:_DIGITS]
        file = self._folder / f"{name}.npz"
        if not file.exists():
            unfinished = self._folder / f"{_UNFINISHED}.npz"
            np.savez(unfinished, **columns)
            unfinished.replace(file)
        self._known.setdefault(name, self._times.shared(times))
        self._names[times] = name
        return name


def _files_in(folder: Path) -> list[_File]:
    if not folder.is_dir():
        return []
    parts = [path.stem.split("_") for path in folder.iterdir() if path.stem != _UNFINISHED]
    return [_File(int(first), int(last), times) for first, last, times in parts]
