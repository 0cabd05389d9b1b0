"""The settings that a person gives for a file of bars, and the guess of the others."""

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
    """The settings that a person gives, None where they are to be guessed.

    Attributes:
        columns: The names of columns.
        interval: A stored interval.
        time_format: See `TimeReader`.
        timezone: Never guessed; must be given for intraday times without an offset.
        label: Whether times are the starts or the ends of bars.
        price_scale: Prices are divided by it.
        separator: Between the columns of a CSV.
        has_header: Whether a CSV names its columns.
        decimal_comma: Whether a CSV writes ten and a half as ``10,5``.
        symbol: The symbol of all files.
        exchange: The calendar by whose sessions label and dates are found.
        encoding: How a CSV is encoded.
        days: Which days daily bars are of: "session", or the time zone of days from midnight to midnight.
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
        source: The file that was looked at.
        reading: All that is needed to read it and others of its make.
        detections: What was found out, and why.
        preview: The first bars as they would be stored: symbol, timestamp (UTC), open, high, low, close, volume.
        warnings: What is odd about the bars, although they can be read.
    """

    source: ImportSource
    reading: CsvReading
    detections: tuple[Detection, ...]
    preview: pl.DataFrame
    warnings: tuple[str, ...] = ()

    @property
    def guessed(self) -> tuple[Detection, ...]:
        """The detections that a person should confirm."""
        return tuple(d for d in self.detections if d.is_guess)

    @property
    def assumed(self) -> tuple[Detection, ...]:
        """The detections that the file does not show."""
        return tuple(d for d in self.detections if d.confidence == "assumed")
