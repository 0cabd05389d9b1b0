"""Parsing of times in text, in the forms that people and vendors write, without their zone."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ISO_FORMATS", "formats_that_fit", "read_written", "tidied"]

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_CLOCKS = ("%H:%M:%S%.f", "%H:%M", "%H%M%S", "%H%M")
ISO_FORMATS = tuple(f"{day} {clock}" for day, clock in product(_DATES, _CLOCKS))
"""The formats that are tried on each time where no format is named."""

_FIRST_YEAR, _LAST_YEAR = 1700, 2100
_MONTHS = {
    "jan": "january januar janvier enero ene janeiro gennaio gen jänner januari sty",
    "feb": "february februar février fevrier fév fev febrero fevereiro febbraio februari lut",
    "mar": "march märz maerz mär mrz mars marzo março marco maart mrt",
    "apr": "april avril avr abril abr aprile kwi",
    "may": "mai mayo maio mag maggio mei maj",
    "jun": "june juni juin junio junho giugno giu cze",
    "jul": "july juli juillet juil julio julho luglio lug lip",
    "aug": "august août aout aoû agosto ago augustus sie",
    "sep": "september sept septembre septiembre setembro set settembre wrz",
    "oct": "october oktober okt octobre octubre outubro out ottobre ott paź",
    "nov": "november novembre noviembre novembro lis",
    "dec": "december dezember dez décembre decembre déc diciembre dic dezembro dicembre gru",
}
_DIRECTIVE = re.compile(r"%[-_]?(?:\.?\d*f|[A-Za-z])")
_ENGLISH = {name: month for month, names in _MONTHS.items() for name in (month, *names.split())}
_WEEKDAYS = r"\b(mon|tue|wed|thu|fri|sat|sun)(day|s|sday|nesday|rs|rsday|urday)?\b\.?"


def read_written(text: pl.Series, form: str | None) -> pl.Series:
    """Parse local times.

    Args:
        text: Times without their zone.
        form: A strftime format; None tries `ISO_FORMATS`.

    Returns:
        Datetimes in microseconds without a zone; null where a text cannot be read, or its year is implausible.
    """
    formats = ISO_FORMATS if form is None else (form,)
    spaced = text if form is not None else _spaced(text)
    found = _first_that_fits(spaced, formats)
    if found.null_count() > text.null_count():
        late, neat = _late_and_neat(text.set(found.is_not_null(), None))
        rest = _first_that_fits(neat, formats if form is None else (_neat(form), form))
        rest = pl.select(pl.when(late).then(rest + pl.duration(days=1)).otherwise(rest)).to_series()
        found = found.fill_null(rest)
    year = found.dt.year()
    return found.set(((year < _FIRST_YEAR) | (year > _LAST_YEAR)).fill_null(value=False), None)


def formats_that_fit(text: str, formats: Sequence[str]) -> list[str]:
    """Return the formats in which `read_written` can read a text."""
    late, neat = _late_and_neat(pl.Series([text]))
    one_day = pl.duration(days=1 if late[0] else 0)

    def parsed(column: str, form: str) -> pl.Expr:
        return pl.col(column).str.to_datetime(form, time_unit="us", strict=False)

    def is_read(form: str) -> pl.Expr:
        tidy = pl.coalesce(parsed("neat", _neat(form)), parsed("neat", form)) + one_day
        year = pl.coalesce(parsed("text", form), tidy).dt.year()
        return year.is_between(_FIRST_YEAR, _LAST_YEAR).fill_null(value=False)

    marks = set(f"{text}{neat[0]}")
    possible = [form for form in dict.fromkeys(formats) if _marks(form) <= marks]
    if not possible:
        return []
    # One query for hundreds of formats, because a query for each would take a second in all.
    rows = pl.DataFrame({"text": [text], "neat": neat})
    fits = rows.select(is_read(form).alias(form) for form in possible).row(0, named=True)
    return [form for form in formats if fits.get(form)]


def _marks(form: str) -> set[str]:
    """Return the punctuation marks that every time of a format has."""
    return set(_DIRECTIVE.sub("", form.replace("-%p", "%p"))) & set("-/.:")


def _late_and_neat(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return a mask of times at 24:00, and all times tidied, with 00:00 for 24:00."""
    late = text.str.contains(r"(?:^|[ T])24:00(?::00)?(?:\.0+)?$|[ T]2400(?:00)?$").fill_null(value=False)
    return late, tidied(text.str.replace(r"([ T]|^)24(:?00)", "${1}00${2}"))


def tidied(text: pl.Series) -> pl.Series:
    """Return times in one way of writing, with English months and without weekdays."""
    neat = text.str.to_lowercase().str.replace(r"(:\d\d),(\d)", "${1}.${2}")
    neat = neat.str.replace_all(_WEEKDAYS, " ").str.replace_all(",", " ", literal=True)
    neat = neat.str.replace(r"(\d)t(\d)", "${1} ${2}").str.replace_all(r"(\d)(st|nd|rd|th)\b", "${1}")
    neat = neat.str.replace(r"(\d)[ \-]*([ap])\.? ?m\.?", "${1} ${2}m")
    neat = neat.str.replace(r"((?:^|[ t])\d{1,2}) ([ap]m)", "${1}:00 ${2}")
    words = neat.str.extract(r"(\p{L}{3,})")
    for word in words.drop_nulls().unique():
        if (month := _ENGLISH.get(str(word))) is not None:
            neat = neat.str.replace(rf"{word}\.?", month)
    return neat.str.replace_all(r"\b(de|of)\b", " ").str.replace_all(r"\s+", " ").str.strip_chars()


def _neat(form: str) -> str:
    """Return the format that times have after `tidied`."""
    plain = form.replace(",", " ").replace("%A", " ").replace("%a", " ").replace("%B", "%b").replace("T%", " %")
    if "%M" not in plain and "%I" in plain:
        plain = plain.replace("%I", "%I:%M").replace("-%p", " %p").replace("%M%p", "%M %p")
    return " ".join(plain.replace("%S%p", "%S %p").replace("%M%p", "%M %p").split())


def _spaced(text: pl.Series) -> pl.Series:
    return text.str.replace(r"^(\d{4}[-/]?\d{2}[-/]?\d{2})[ T\-]+", "${1} ").str.replace(
        r"^(\d{4}[-/]?\d{2}[-/]?\d{2})$", "${1} 00:00"
    )


def _first_that_fits(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Parse each text in the first format that fits it, to null where none does."""
    # In microseconds, because nanoseconds would overflow into other years beyond 2262.
    found = text.str.to_datetime(formats[0], time_unit="us", strict=False)
    for form in formats[1:]:
        if found.null_count() == text.null_count():
            break
        found = found.fill_null(text.str.to_datetime(form, time_unit="us", strict=False))
    return found
