"""Parsing of numbers in text, in the forms that people and vendors write."""

from __future__ import annotations

import polars as pl

__all__ = ["number"]

_SUFFIXES = {
    "k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mil": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9, "t": 1e12, "cr": 1e7,
}  # fmt: skip
_CURRENCIES = "USD|US|EUR|GBP|JPY|KRW|INR|BRL|CHF|CAD|AUD|NZD|HKD|SGD|CNY|RMB|SEK|NOK|DKK|PLN|CZK|HUF|ZAR|TRY|MXN"
_CURRENCY = rf"^(?:{_CURRENCIES}|Rs\.?|R|C|A|HK|NT|kr\.?)?\p{{Sc}}?|\p{{Sc}}$|(?:{_CURRENCIES}|kr\.?|zł|Kč|Ft)$"
_GROUPED_BY_COMMA = r"^[-+]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?$"
_GROUPED_BY_POINT = r"^[-+]?\d{1,3}(\.\d{3})+(,\d+)?$"


def number(text: pl.Series, *, decimal_comma: bool = False) -> pl.Series:
    """Parse numbers in text, also ``1,234.50``, ``$12.30``, ``(5.1)`` and ``350.5k``.

    A text that is not a number becomes null.
    """
    plain = text.str.strip_chars()
    if not decimal_comma:
        found = plain.cast(pl.Float64, strict=False)
        # Most files have plain numbers, for which the expressions below would take ten times as long.
        if found.null_count() == plain.null_count():
            return found
    return plain.to_frame("text").select(_written(pl.col("text"), decimal_comma=decimal_comma)).to_series()


def _written(plain: pl.Expr, *, decimal_comma: bool) -> pl.Expr:
    bare = plain.str.replace_all("[\\s'\u2019]", "").str.replace_all("\u2212", "-", literal=True)
    bare = bare.str.replace(r"^\((.*)\)$", "-${1}")
    sign = bare.str.extract(r"^([-+])").fill_null("")
    bare = sign + bare.str.replace(r"^[-+]", "").str.replace_all(_CURRENCY, "")
    if decimal_comma:
        grouped = bare.str.contains(_GROUPED_BY_POINT)
        bare = pl.when(grouped).then(bare.str.replace_all(".", "", literal=True)).otherwise(bare)
        bare = bare.str.replace(",", ".", literal=True)
        return pl.coalesce(bare.cast(pl.Float64, strict=False), _with_suffix(bare))
    grouped = bare.str.contains(_GROUPED_BY_COMMA)
    bare = pl.when(grouped).then(bare.str.replace_all(",", "", literal=True)).otherwise(bare)
    return pl.coalesce(plain.cast(pl.Float64, strict=False), bare.cast(pl.Float64, strict=False), _with_suffix(bare))


def _with_suffix(bare: pl.Expr) -> pl.Expr:
    parts = bare.str.to_lowercase().str.extract_groups(r"^([-+]?[\d.,]+)(\p{L}+)\.?$")
    digits = parts.struct[0].str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
    factor = parts.struct[1].replace_strict(_SUFFIXES, default=None, return_dtype=pl.Float64)
    return (digits * factor).round(6)
