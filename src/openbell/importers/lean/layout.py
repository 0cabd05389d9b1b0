"""The files of LEAN's data folder by asset class, market and resolution, and their time zones.

    <class>/<market>/minute/<symbol>/<YYYYMMDD>_trade.zip     also second; forex and cfd have _quote.zip instead
    <class>/<market>/daily/<symbol>.zip                       also hour; crypto and futures: <symbol>_trade.zip
    future/.../<root>_trade.zip                               holds one CSV for each contract: ..._201312_20131220.csv
    market-hours/market-hours-database.json                   the time zone of the data, by class, market and symbol

See https://www.quantconnect.com/docs/v2/lean-engine/data-format. Options and open interest are not imported.
"""

from __future__ import annotations

import json
import re
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from openbell.errors import ConfigError, DataError
from openbell.importers.files.import_files import UNREADABLE, open_zip

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

__all__ = ["RESOLUTIONS", "LeanSource", "find_lean_sources", "market_folders"]

RESOLUTIONS = {"1s": "second", "1m": "minute", "60m": "hour", "1d": "daily"}
"""LEAN's folder for each stored interval."""

CLASSES = {
    "equity": "trade",
    "crypto": "trade",
    "cryptofuture": "trade",
    "forex": "quote",
    "cfd": "quote",
    "index": "trade",
    "future": "trade",
}
"""The asset classes that are imported, and whether their bars are of trades or quotes."""

_TIME_ZONES = {
    ("equity", "usa"): "America/New_York",
    ("crypto", "*"): "UTC",
    ("cryptofuture", "*"): "UTC",
    ("forex", "oanda"): "UTC",
    ("forex", "fxcm"): "Etc/GMT+5",
    ("cfd", "oanda"): "UTC",
    ("future", "*"): "UTC",
    ("index", "usa", "SPX"): "America/Chicago",
}
_EQUITY_PRICE_UNITS = 10_000.0
_MONTH_CODES = "FGHJKMNQUVXZ"
_CONTRACT = re.compile(r"_(\d{4})(\d{2})(?:\d{2})?(?:_\d{8})?\.csv$", re.IGNORECASE)
_KIND = re.compile(r"_(trade|quote|openinterest)$")


class LeanSource(NamedTuple):
    """One CSV of bars in a zip.

    Attributes:
        interval: A stored interval.
        symbol: The symbol in upper case; of a future the contract, e.g. ``ESZ13``.
        day: The date of its bars; None for a file of all days.
        path: The zip.
        member: The name of the CSV in the zip; None: the only one.
        is_quote: Whether rows have bid and ask instead of trades.
        market: Class and market, e.g. ``equity/usa``.
        time_zone: The time zone of the times.
        price_units: The number by which prices are divided.
    """

    interval: str
    symbol: str
    day: date | None
    path: Path
    member: str | None
    is_quote: bool
    market: str
    time_zone: str
    price_units: float

    @property
    def has_sessions(self) -> bool:
        """Whether its daily bars span sessions, not days of its time zone."""
        return self.market.split("/")[0] in ("equity", "index")


def market_folders(folder: Path) -> list[Path]:
    """List the folders ``<class>/<market>`` with bars, ``folder`` itself or up to three levels below it.

    Raises:
        ConfigError: There is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}.")
    level = [folder.resolve()]
    for _ in range(4):
        if found := [path for path in level if _is_market(path)]:
            return found
        level = sorted(child for path in level for child in path.iterdir() if child.is_dir())
    raise ConfigError(
        f"{folder} is not a LEAN data folder: there is no equity/usa, crypto/coinbase or the like in it, "
        f"with folders {', '.join(RESOLUTIONS.values())}."
    )


def _is_market(path: Path) -> bool:
    return path.parent.name in CLASSES and any((path / name).is_dir() for name in RESOLUTIONS.values())


def find_lean_sources(
    folder: Path, symbols: Collection[str] | None, intervals: Collection[str] | None, timezone: str | None = None
) -> tuple[list[LeanSource], list[tuple[Path, str]]]:
    """List the CSVs to import.

    Those of one month file of the store follow each other.

    Args:
        folder: LEAN's data folder, or one above or below it.
        symbols: The symbols to import, of futures the root (``ES``) or a contract (``ESZ13``); None: all.
        intervals: The intervals to import, of `RESOLUTIONS`; None: all.
        timezone: The time zone of data for which neither LEAN's market hours nor its documentation has one.

    Returns:
        The sources, and the files that cannot be opened, with the reason.

    Raises:
        ConfigError: There are no such bars, a symbol is in several markets, or a time zone must be given.
    """
    if unknown := set(intervals or ()) - set(RESOLUTIONS):
        raise ConfigError(f"LEAN's folders have {', '.join(RESOLUTIONS)} bars, not {', '.join(sorted(unknown))}.")
    wanted = None if symbols is None else {symbol.upper() for symbol in symbols}
    found: list[LeanSource] = []
    failed: list[tuple[Path, str]] = []
    met: set[str] = set()
    for market in market_folders(folder):
        zones = _TimeZones(market, timezone)
        for interval in RESOLUTIONS:
            if intervals is not None and interval not in intervals:
                continue
            for path, root, day in _zips(market, interval):
                try:
                    members = _contracts(path, root) if market.parent.name == "future" else [(root, None)]
                except (*UNREADABLE, ValueError) as exc:
                    failed.append((path, str(exc)))
                    continue
                for symbol, member in members:
                    if wanted is None or wanted & {symbol, root}:
                        met |= {symbol, root}
                        found.append(_source(market, interval, symbol, day, path, member, zones.of(root)))
    if missing := (wanted or set()) - met:
        raise ConfigError(f"{folder} has no bars of {', '.join(sorted(missing))} in the intervals asked for.")
    if not found and not failed:
        raise ConfigError(f"{folder} has no bars in the intervals asked for.")
    found.sort(key=lambda source: (source.interval, source.symbol, source.market, source.path.name))
    _require_one_market(found)
    return found, failed


def _zips(market: Path, interval: str) -> Iterator[tuple[Path, str, date | None]]:
    """Yield the zips of an interval with symbol and day by their names.

    For futures, the symbol is the root.
    """
    folder, kind = market / RESOLUTIONS[interval], CLASSES[market.parent.name]
    if interval in ("60m", "1d"):
        for path in folder.glob("*.zip"):
            kind_in_name = _KIND.search(path.stem)
            if kind_in_name is None or kind_in_name[1] == kind:
                yield path, _KIND.sub("", path.stem).upper(), None
        return
    for path in folder.glob(f"*/*_{kind}.zip"):
        yield path, path.parent.name.upper(), _day_in(path)


def _day_in(path: Path) -> date | None:
    try:
        return date(int(path.name[:4]), int(path.name[4:6]), int(path.name[6 : path.name.index("_")]))
    except ValueError:
        return None


def _contracts(path: Path, root: str) -> list[tuple[str, str | None]]:
    """List (contract, name of the CSV) of each contract in a zip of futures.

    Raises:
        ValueError: The name of a CSV has no month of a contract.
    """
    found: list[tuple[str, str | None]] = []
    with open_zip(path) as archive:
        for name in sorted(archive.namelist()):
            match = _CONTRACT.search(name)
            if match is None or not 1 <= int(match[2]) <= 12:
                raise ValueError(f"the name of {name} in it does not end with a contract's month, as _201312.csv")
            found.append((f"{root}{_MONTH_CODES[int(match[2]) - 1]}{match[1][2:]}", name))
    return found


def _source(
    market: Path, interval: str, symbol: str, day: date | None, path: Path, member: str | None, time_zone: str
) -> LeanSource:
    kind = market.parent.name
    units = _EQUITY_PRICE_UNITS if kind == "equity" else 1.0
    name = f"{kind}/{market.name}"
    return LeanSource(interval, symbol, day, path, member, CLASSES[kind] == "quote", name, time_zone, units)


def _require_one_market(sources: list[LeanSource]) -> None:
    """Refuse a symbol of two markets.

    A store has no markets, so the bars would replace each other.

    Raises:
        ConfigError: There is such a symbol.
    """
    for one, other in pairwise(sources):
        if one.symbol == other.symbol and one.interval == other.interval and one.market != other.market:
            raise ConfigError(
                f"{one.symbol} is in {one.market} and in {other.market}, and a store holds one {one.symbol}. "
                f"Import them one by one: name the folder of the market, and give each a store of its own."
            )


class _TimeZones:
    """The time zones of the data of one market."""

    def __init__(self, market: Path, given: str | None) -> None:
        self._kind, self._market = market.parent.name, market.name
        self._given = given
        self._entries = _market_hours(market.parent.parent / "market-hours" / "market-hours-database.json")

    def of(self, symbol: str) -> str:
        """Return the time zone of a symbol's data.

        Raises:
            ConfigError: It is unknown.
        """
        for name in (symbol, "[*]"):
            entry = self._entries.get(f"{self._kind}-{self._market}-{name}".casefold())
            if entry is not None:
                return str(entry["dataTimeZone"])
        for key in ((self._kind, self._market, symbol), (self._kind, self._market), (self._kind, "*")):
            if key in _TIME_ZONES:
                return _TIME_ZONES[key]
        if self._given is not None:
            return self._given
        raise ConfigError(
            f"in which time zone are the times of {self._kind}/{self._market} ({symbol})? LEAN has it in "
            "market-hours/market-hours-database.json, which is not in this data folder: put it there, "
            "or say it, for example --timezone America/New_York."
        )


def _market_hours(path: Path) -> dict[str, Any]:
    """Return the entries of LEAN's market hours by name, empty without the file.

    Raises:
        DataError: The file cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))["entries"]
        return {name.casefold(): entry for name, entry in entries.items() if "dataTimeZone" in entry}
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise DataError(f"{path} cannot be read: {exc}") from exc
