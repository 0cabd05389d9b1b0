"""The settings that a user gives for a file, and the guess of all others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from openbell.importers.csv import CsvColumns, CsvReading

if TYPE_CHECKING:
    import polars as pl

    from openbell.config.exchange import ExchangeConfig
    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.sniffing.detection import Detection

__all__ = ["Given", "Guess"]


@dataclass(frozen=True, slots=True)
class Given:
    """The settings that a user gives, None where they are to be guessed.

    Attributes:
        columns: The names of columns.
        interval: A stored interval.
        time_format: As for `TimeReader`.
        timezone: The time zone of times without an offset; never guessed, so it must be given for intraday bars.
        label: Whether times are the starts or the ends of bars.
        price_scale: The number by which prices are divided.
        separator: The character between the columns of a CSV.
        has_header: Whether a CSV names its columns.
        decimal_comma: Whether a CSV writes ten and a half as ``10,5``.
        symbol: The symbol of all files.
        exchange: The exchange by whose sessions the label and the dates are found.
        encoding: The encoding of a CSV.
        days: The days that daily bars span: "session", or the time zone of days from midnight to midnight.
    """

    columns: CsvColumns = field(default_factory=CsvColumns)
    interval: str | None = None
    time_format: str | None = None
    timezone: str | None = None
    label: Literal["start", "end"] | None = None
    price_scale: float | None = None
    separator: str | None = None
    symbol: str | None = None
    exchange: str | ExchangeConfig = "XNYS"
    has_header: bool | None = None
    decimal_comma: bool | None = None
    encoding: str | None = None
    days: str | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess of how a file is to be read.

    Attributes:
        source: The file that the guess is made from.
        reading: The settings by which this file and others of the same form are read.
        detections: The detected settings, with reasons.
        preview: The first bars as they would be stored: symbol, timestamp (UTC), open, high, low, close, volume.
        warnings: Texts about bars that can be read but look wrong.
    """

    source: ImportSource
    reading: CsvReading
    detections: tuple[Detection, ...]
    preview: pl.DataFrame
    warnings: tuple[str, ...] = ()

    @property
    def guessed(self) -> tuple[Detection, ...]:
        """The detections that the user should confirm."""
        return tuple(d for d in self.detections if d.is_guess)

    @property
    def assumed(self) -> tuple[Detection, ...]:
        """The detections that are assumed, because the file does not show them."""
        return tuple(d for d in self.detections if d.confidence == "assumed")
