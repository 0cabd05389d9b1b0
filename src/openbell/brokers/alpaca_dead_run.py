"""Closing of the orders and positions at Alpaca of a run whose process no longer responds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.brokers.alpaca_rest import NoAnswerError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openbell.brokers.alpaca_ids import AlpacaIds
    from openbell.brokers.alpaca_rest import AlpacaTrading
    from openbell.model.json_object import JsonObject

__all__ = ["close_out"]

_ENDED = ("filled", "canceled", "expired", "rejected", "replaced")
_ATTEMPTS = 40
_PAUSE_S = 0.25


def close_out(rest: AlpacaTrading, ids: AlpacaIds, symbols: Sequence[str]) -> list[str]:
    """Cancel the run's open orders, wait until they have ended, and close its positions.

    Args:
        rest: The trading API.
        ids: The ids of the run's orders.
        symbols: The symbols whose positions are closed.

    Returns:
        One text for each thing that was done.

    Raises:
        RefusedError: Alpaca refuses something; everything else was tried all the same.
        NoAnswerError: There is no answer, or an order is not cancelled in time; what comes after it was not tried.
    """
    done, refused = [], []
    for row in list(_open_orders(rest, ids)):
        words = f"the order to {row['side']} {row['qty']} {row['symbol']}"
        try:
            rest.cancel(str(row["id"]))
            _wait_for_end(rest, str(row["id"]))
            done.append(f"cancelled {words}")
        except NotFoundError:
            continue
        except RefusedError as exc:
            if rest.order(str(row["id"]))["status"] not in _ENDED:
                refused.append(f"{words} is not cancelled ({exc})")
    for symbol in symbols:
        try:
            order = rest.close_position(symbol)
            done.append(f"ordered to {order['side']} {order['qty']} {symbol}, which closes the position")
        except NotFoundError:
            done.append(f"nothing is held of {symbol}")
        except RefusedError as exc:
            refused.append(f"the position in {symbol} is not closed ({exc})")
    if refused:
        raise RefusedError("; ".join([*refused, *done]))
    return done


def _open_orders(rest: AlpacaTrading, ids: AlpacaIds) -> Iterator[JsonObject]:
    """Yield the run's open orders, with legs that Alpaca has given ids of its own."""
    is_open = {str(row["id"]): row for row in rest.orders("open")}
    if not is_open:
        return
    for row in rest.orders("all", nested=True):
        if ids.own(row) is not None:
            for each in (row, *(row.get("legs") or ())):
                if (found := is_open.pop(str(each["id"]), None)) is not None:
                    yield found
        if not is_open:
            return


def _wait_for_end(rest: AlpacaTrading, broker_id: str) -> None:
    """Wait until an order has ended.

    Raises:
        NoAnswerError: The order is still open after ten seconds.
    """
    for _ in range(_ATTEMPTS):
        if rest.order(broker_id)["status"] in _ENDED:
            return
        rest.sleep(_PAUSE_S)
    raise NoAnswerError(f"Alpaca has not cancelled order {broker_id} after {_ATTEMPTS * _PAUSE_S:g} seconds")
