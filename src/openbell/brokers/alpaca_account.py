"""The state of an account at Alpaca, with its executions and payments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from openbell.brokers.alpaca_orders import REPLACED, broker_order, fill_of_activity, time_ns_of
from openbell.brokers.alpaca_rest import NoAnswerError
from openbell.errors import printable
from openbell.model.broker_events import AccountChange, AccountSnapshot, BrokerPosition
from openbell.model.order import DUST
from openbell.vendors.alpaca import midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from openbell.brokers.alpaca_ids import AlpacaIds
    from openbell.brokers.alpaca_rest import AlpacaTrading
    from openbell.model.broker_events import BrokerFill
    from openbell.model.json_object import JsonObject

__all__ = ["books_of", "executions_of"]

_ATTEMPTS = 4
_PAUSE_S = 0.25
_FILL = "FILL"
_SECOND_NS = 1_000_000_000
_KINDS = (
    ("DIV", "dividend"), ("INT", "interest"), ("FEE", "fee"), ("CFEE", "fee"), ("PTC", "fee"), ("SPLIT", "split"),
    ("SSP", "split"), ("CSD", "transfer"), ("CSW", "transfer"), ("JNL", "transfer"), ("ACAT", "transfer"),
)  # fmt: skip
_BLOCKS = {
    "trading_blocked": "Alpaca has blocked the account's trading",
    "account_blocked": "Alpaca has blocked the account",
    "trade_suspended_by_user": "its owner has suspended the account's trading",
}


def books_of(rest: AlpacaTrading, since_ns: int, ids: AlpacaIds) -> AccountSnapshot:
    """Return a consistent state of the account, with its fills and payments since a time.

    Args:
        rest: The trading API.
        since_ns: The time, nanoseconds since 1970 UTC.
        ids: The ids of the run's orders; further ones are learned.

    Raises:
        RefusedError: Alpaca refuses a request.
        NoAnswerError: There is no answer, or the account changed during each of the attempts.
    """
    before = _held(rest)
    for _ in range(_ATTEMPTS):
        open_rows = [row for row in rest.orders("open") if row["status"] != REPLACED]
        activities = rest.activities(_text(since_ns - 86_400 * _SECOND_NS))
        after = _held(rest)
        # An execution between two answers would be in one of them and not in the other.
        if _changed_by_fills(before) == _changed_by_fills(after):
            account, positions = after
            executed = [row for row in activities if row["activity_type"] == _FILL and _time_ns(row) >= since_ns]
            _learn_ids(rest, ids, [*(str(row["id"]) for row in open_rows), *(str(row["order_id"]) for row in executed)])
            return AccountSnapshot(
                cash=float(account["cash"]),
                positions=tuple(_position(row) for row in positions),
                orders=tuple(broker_order(row, ids.own(row)) for row in open_rows),
                fills=tuple(_fills(executed, ids.own_of)),
                payments=tuple(_payments(activities, since_ns)),
                blocked=_blocked(account),
            )
        before = after
    raise NoAnswerError("the account changed each time that it was asked for")


def _learn_ids(rest: AlpacaTrading, ids: AlpacaIds, broker_ids: Iterable[str]) -> None:
    """Learn which orders are the run's, because executions have only Alpaca's ids."""
    unknown = {broker_id for broker_id in broker_ids if ids.is_unknown(broker_id)}
    if not unknown:
        return
    for row in rest.orders("all", nested=True):
        ids.learn(row)
        unknown.difference_update(str(each["id"]) for each in (row, *(row.get("legs") or ())))
        if not unknown:
            return
    for broker_id in unknown:  # orders that were replaced, which lists of orders leave out
        row = rest.order(broker_id)
        while ids.own(row) is None and row.get("replaced_by"):
            row = rest.order(str(row["replaced_by"]))
        if (own := ids.own(row)) is not None:
            ids.learn_earlier(own, broker_id)


def executions_of(rest: AlpacaTrading, rows: Sequence[JsonObject], earlier: Iterable[str],
                  own_of: Callable[[str], str | None]) -> list[BrokerFill]:  # fmt: skip
    """Return the executions of orders, the oldest first.

    Args:
        rest: The trading API.
        rows: The orders, as Alpaca writes them.
        earlier: Alpaca's ids of the orders that these have replaced.
        own_of: Returns the run's id of an order by Alpaca's, or None.
    """
    wanted = sum(float(row["filled_qty"] or 0) for row in rows)
    if not wanted:
        return []
    ids = {*(str(row["id"]) for row in rows), *earlier}
    since_ns = min(time_ns_of(str(row["created_at"])) for row in rows) - _SECOND_NS
    since_ns -= 30 * 86_400 * _SECOND_NS if set(earlier) else 0
    found: list[BrokerFill] = []
    for attempt in range(_ATTEMPTS):
        activities = [row for row in rest.activities(_text(since_ns), _FILL) if str(row["order_id"]) in ids]
        found = _fills(activities, own_of)
        # Alpaca records an activity a little later than it updates the order.
        if sum(abs(fill.quantity) for fill in found) >= wanted - DUST or attempt == _ATTEMPTS - 1:
            break
        rest.sleep(_PAUSE_S * 2**attempt)
    return found


def _held(rest: AlpacaTrading) -> tuple[JsonObject, list[JsonObject]]:
    return rest.account(), rest.positions()


def _changed_by_fills(held: tuple[JsonObject, list[JsonObject]]) -> object:
    """Return the values of an account that executions change but prices do not, cash and quantities."""
    account, positions = held
    return account["cash"], sorted((str(row["symbol"]), str(row["qty"])) for row in positions)


def _position(row: JsonObject) -> BrokerPosition:
    quantity, average = float(row["qty"]), float(row["avg_entry_price"])
    price = row.get("current_price")
    return BrokerPosition(str(row["symbol"]), quantity, average, average if price is None else float(price))


def _fills(rows: Iterable[JsonObject], own_of: Callable[[str], str | None]) -> list[BrokerFill]:
    found = [fill_of_activity(row, own_of(str(row["order_id"]))) for row in rows]
    # Executions within one millisecond are reported in any order.
    return sorted(found, key=lambda fill: (fill.time_ns, abs(fill.total)))


def _time_ns(row: JsonObject) -> int:
    return time_ns_of(str(row["transaction_time"]))


def _payments(rows: Iterable[JsonObject], since_ns: int) -> list[AccountChange]:
    """Return the activities other than fills since the day of a time.

    They have dates, but no times of day.
    """
    found = []
    for row in rows:
        if row["activity_type"] == _FILL:
            continue
        day = datetime.fromisoformat(str(row["date"])[:10]).date()
        time_ns = int(midnight(day).timestamp()) * _SECOND_NS
        if time_ns >= since_ns - 86_400 * _SECOND_NS:
            found.append(
                AccountChange(
                    str(row["id"]),
                    _kind(str(row["activity_type"])),
                    str(row.get("symbol") or ""),
                    float(row.get("qty") or 0) if _kind(str(row["activity_type"])) == "split" else 0.0,
                    float(row.get("net_amount") or 0),
                    time_ns,
                    printable(str(row.get("description") or ""), 200),
                )
            )
    return found


def _kind(word: str) -> str:
    """Return openbell's word for a type of activity, else Alpaca's in lower case."""
    return next((kind for beginning, kind in _KINDS if word.startswith(beginning)), word.lower())


def _blocked(account: JsonObject) -> str:
    """Return the reasons why the account cannot trade, as text, empty if it can."""
    reasons = [words for name, words in _BLOCKS.items() if account.get(name)]
    if account.get("status") != "ACTIVE":
        reasons.append(f"the account is {printable(str(account.get('status')), 40)}, not ACTIVE")
    return " and ".join(reasons)


def _text(time_ns: int) -> str:
    """Return a time as Alpaca reads it."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=max(time_ns, 0) // 1000)
    return moment.isoformat().replace("+00:00", "Z")
