"""Pages of the bars of a store, and of their check."""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from openbell.actions import ActionStore
from openbell.errors import ConfigError, printable
from openbell.model.address import place_of
from openbell.pages.data_check.check_page import check_values
from openbell.quality.checker import check_store
from openbell.store.store import BarStore
from openbell.view.addresses import query
from openbell.view.responses import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.responses import Response

    from openbell.quality.check_report import Report
    from openbell.view.run_catalogue import Catalogue

__all__ = ["DataPages", "KnownStore"]

_MOST_ROWS = 1000
_MOST_ACTIONS = 500
_MOST_REPORTS = 8
_MOST_CHECKED = 5_000_000


class KnownStore(NamedTuple):
    """A store with its name in addresses.

    Attributes:
        id: Its name in addresses.
        place: Its folder or address.
        exchange: The calendar that its bars are checked against.
    """

    id: str
    place: str
    exchange: str


class _Row(NamedTuple):
    symbol: str
    interval: str
    rows: int
    first: str
    last: str
    built: int
    mib: float
    address: str


class DataPages:
    """Pages of a given store, or else of the stores of the runs' configs.

    Args:
        catalogue: The runs.
        store: The given store, or None.
    """

    def __init__(self, catalogue: Catalogue, store: str | None) -> None:
        self._catalogue = catalogue
        self._store = store
        self._reports: dict[tuple[object, ...], Report] = {}
        self._lock = Lock()

    def stores(self) -> list[KnownStore]:
        """Return the stores, that of the newest run first."""
        return list({one.id: one for one in self._found()}.values())

    def _found(self) -> Iterator[KnownStore]:
        runs = self._catalogue.runs()
        for run in runs if self._store is None else ():
            place, exchange = run.stored.config.get("store"), run.stored.config.get("exchange")
            if isinstance(place, str) and isinstance(exchange, str):
                yield _known(place, exchange)
        if self._store is not None:
            of_runs = (run.stored.config.get("exchange") for run in runs)
            yield _known(self._store, next((name for name in of_runs if isinstance(name, str)), "XNYS"))

    def overview(self, asked: str, find: str) -> Response:
        """Return the page of the bars and corporate actions of a store.

        Args:
            asked: The id of the store; empty for the first store.
            find: A part of the symbols' names; empty for all symbols.

        Raises:
            ConfigError: There is no such store.
            StoreError: The store cannot be read.
        """
        stores = self.stores()
        known = _chosen(stores, asked)
        store = BarStore.open(place_of(known.place))
        held = [one for one in store.coverage() if find.lower() in one.symbol.lower()]
        rows = [
            _Row(
                one.symbol, one.interval, one.rows, f"{one.first:%Y-%m-%d}", f"{one.last:%Y-%m-%d}", one.built,
                one.bytes / 2**20, f"/data/check?{query(store=known.id, symbol=printable(one.symbol))}",
            )
            for one in held[:_MOST_ROWS]
        ]  # fmt: skip
        book = ActionStore(store.path).book(store.manifest.side_files)
        actions = [action for symbol in book.symbols for action in book.naming(symbol)]
        values: dict[str, Any] = {
            "store": known.place,
            "stores": [(one.place, f"/data?{query(store=one.id)}", one.id == known.id) for one in stores],
            "rows": rows,
            "left": max(len(held) - _MOST_ROWS, 0),
            "symbols": len({one.symbol for one in held}),
            "bars": sum(one.rows for one in held),
            "find": find,
            "store_id": known.id,
            "check_all": f"/data/check?{query(store=known.id)}",
            "actions": [action.to_dict() for action in actions[:_MOST_ACTIONS]],
            "actions_left": max(len(actions) - _MOST_ACTIONS, 0),
        }
        return page("view_data.html", values, place="data")

    def check(self, asked: str, symbols: Sequence[str]) -> Response:
        """Return the page of a check of some symbols, or of all symbols of a small store.

        Raises:
            ConfigError: There is no such store, or there are too many bars to check.
            OpenbellError: A symbol is not in the store, or the store cannot be read.
        """
        known = _chosen(self.stores(), asked)
        store = BarStore.open(place_of(known.place))
        names = {printable(name): name for name in store.symbols()}
        wanted = tuple(names.get(name, name) for name in symbols)
        bars = sum(one.rows for one in store.coverage(wanted or None))
        if bars > _MOST_CHECKED:
            raise ConfigError(
                f"a check of {bars:,} bars takes long: choose one symbol in the list, or run "
                f"`openbell data check --html FILE --store {known.place}`."
            )
        key = known.id, store.version, wanted
        with self._lock:  # one check at a time
            report = self._reports.get(key)
            if report is None:
                report = self._reports[key] = check_store(store, known.exchange, symbols=wanted)
            for old in list(self._reports)[:-_MOST_REPORTS]:
                del self._reports[old]
        crumbs = (("Data", f"/data?{query(store=known.id)}"), (", ".join(symbols) or "all", None))
        return page("data_check.html", check_values(report), place="data", crumbs=crumbs, styles=("data_check.css",))


def _chosen(stores: Sequence[KnownStore], asked: str) -> KnownStore:
    """Return the store with an id, or the first one if the id is empty."""
    if not stores:
        raise ConfigError("no run here names a store. Name one with openbell view --store FOLDER.")
    found = next((one for one in stores if one.id == asked), None if asked else stores[0])
    if found is None:
        raise ConfigError("no run here names this store any more: see the list of stores.")
    return found


def _known(place: str, exchange: str) -> KnownStore:
    return KnownStore(
        hashlib.blake2b(place.encode(errors="surrogateescape"), digest_size=6).hexdigest(), place, exchange
    )
