"""Errors of Alpaca's stream by their codes, and their consequences."""

from __future__ import annotations

from openbell.feeds.stream_connection import UnusableServerError
from openbell.vendors.alpaca import KEY_ID, SECRET_KEY

__all__ = ["SYMBOL_LIMIT", "ends_connection", "refusal"]

SYMBOL_LIMIT = 405
_ANOTHER = (
    "another program is connected with this account's keys, and most plans take one connection. End that one; a "
    "connection that broke off counts for a while, too"
)
_FINAL = {
    402: f"the keys are not accepted. Check {KEY_ID} and {SECRET_KEY}",
    408: "the account has no access to this stream",
    409: "the account's plan does not have this feed. Write live: {feed: iex}, which the free plan has, or change it",
}
# By code, the meaning and the fewest seconds until the next attempt to connect.
_TRANSIENT = {
    401: ("the server says that openbell is not authenticated", 0.0),
    404: ("the keys came too late for the server", 0.0),
    406: (_ANOTHER, 60.0),
    407: ("openbell reads more slowly than bars arrive, so the server has closed the connection", 0.0),
    429: ("there were too many connections recently", 60.0),
    500: ("the server has an error of its own", 5.0),
}
_REFUSALS = {
    400: "the server does not understand the subscription",
    SYMBOL_LIMIT: "it is more than the symbols that the account's plan takes at once",
    409: "the account's plan does not have it",
    410: "this feed does not have what was subscribed to",
    412: "the server sends it only as msgpack",
    413: "the server takes no subscription to all symbols at once",
}


def ends_connection(code: int, text: str, *, is_asking: bool) -> UnusableServerError | None:
    """Return the error that ends the connection, or None when the connection stays usable.

    Args:
        code: The code of the server's error.
        text: The text of the server's error.
        is_asking: Whether a change of the subscription waits for its answer, which the error may be.
    """
    answer = f"Alpaca answers {code} {text}"
    if code in _FINAL and not (is_asking and code in _REFUSALS):
        return UnusableServerError(f"{answer}: {_FINAL[code]}.", is_final=True)
    if code in _TRANSIENT:
        meaning, after_s = _TRANSIENT[code]
        return UnusableServerError(f"{answer}: {meaning}", after_s=after_s)
    return None


def refusal(code: int, text: str) -> str:
    """Return the reason, as text, why the server refuses symbols."""
    meaning = _REFUSALS.get(code)
    return f"Alpaca answers {code} {text}" + (f": {meaning}" if meaning else "")
