"""Texts of a server and of the network, made safe to show."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from openbell.errors import ConfigError, printable
from openbell.model.feed_events import FeedMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from urllib.parse import SplitResult

__all__ = ["MOST_SHOWN", "ServerText", "Troubles"]

MOST_SHOWN = 500
"""The most characters shown of a message of the server."""

_MOST_SHOWN = 200
_SHORTEST_KEY = 4
_SHORTEST_KEY_IN_PATH = 12
_LOCAL = ("localhost", "127.0.0.1", "::1")


class ServerText:
    """Cleaner of texts about one server, which may hold keys or control codes for a terminal.

    Args:
        url: The server's address, ``ws://`` or ``wss://``.
        secrets: Keys that are not part of the address.

    Attributes:
        place: The host and the port, without anything secret.
        is_local: Whether the server is on this machine.
        is_encrypted: Whether the connection is encrypted.

    Raises:
        ConfigError: The address is not valid. The message does not quote it, because it may hold keys.
    """

    def __init__(self, url: str, secrets: Iterable[str] = ()) -> None:
        parts = _parts(url)
        host = str(parts.hostname)
        self.place = f"[{host}]" if ":" in host else host
        if parts.port is not None:
            self.place += f":{parts.port}"
        self.is_local = host in _LOCAL
        self.is_encrypted = parts.scheme == "wss"
        # The longest first, since one may be part of another.
        self._secrets = sorted(
            {form for key in (*_keys(parts), *secrets) for form in _written(key)}, key=len, reverse=True
        )

    def clean(self, text: str, most: int = _MOST_SHOWN) -> str:
        """Return a text without keys and control codes, cut to ``most`` characters."""
        # Keys are replaced before the text is cut, because half a key would not be found.
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return printable(text, most)

    def of_network_error(self, exc: OSError) -> str:
        """Return the system's reason for an error of the network, as text."""
        if isinstance(exc, TimeoutError):
            return "no answer in time"
        if exc.errno is not None and exc.errno in errno.errorcode:
            # The text of asyncio's own errors holds addresses and numbers.
            return os.strerror(exc.errno)
        return self.clean(str(exc.strerror or exc)) or type(exc).__name__


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        good = False
    if not good or not url.isprintable() or " " in url:
        raise ConfigError(
            "the address of the feed is not a valid websocket address. "
            "Write for example ws://localhost:8765 or wss://host/path."
        )
    return parts


def _keys(parts: SplitResult) -> Iterator[str]:
    """Yield all parts of an address that may be keys."""
    yield from (part for part in (parts.username, parts.password) if part)
    if len(parts.query) >= _SHORTEST_KEY:
        yield parts.query
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        key = value or name
        if len(key) >= _SHORTEST_KEY:
            yield key
    yield from (part for part in parts.path.split("/") if len(part) >= _SHORTEST_KEY_IN_PATH)


def _written(key: str) -> set[str]:
    """Return the forms in which a key may be written."""
    plain = unquote(key)
    return {key, plain, quote(plain, safe=""), quote_plus(plain)}


class Troubles:
    """Troubles of one connection, the first of which are reported one by one.

    Args:
        words: Cleans texts of the server.
        shown: The number of troubles reported one by one; after these, only each doubling of the number is reported.
    """

    def __init__(self, words: ServerText, shown: int) -> None:
        self._words = words
        self._shown = shown
        self._count = 0

    def reported(self, text: str) -> Sequence[FeedMessage]:
        """Count a trouble, and return an event that reports it.

        After too many troubles, there is no event.
        """
        self._count += 1
        count, shown = self._count, self._shown
        if count <= shown:
            return [FeedMessage(self._words.clean(text, MOST_SHOWN))]
        is_doubled = count % shown == 0 and (count // shown).bit_count() == 1
        return [FeedMessage(f"{count} invalid messages of the feed so far")] if is_doubled else []
