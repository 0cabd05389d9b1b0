"""Access checks of every request, and security headers of every response."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["POLICY", "Access", "Guard", "form_with_token"]

_COOKIE = "openbell-token"
_SAFE = ("GET", "HEAD")
_MOST_BYTES = 10_000
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # Lightweight Charts sets styles through the object model, which the policy does not restrict.
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Content security policy of every page."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # Other sites get no referrer. With "no-referrer", forms of our own pages would send the Origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Access:
    """Rules of access.

    Attributes:
        hosts: The hosts, with their ports, under which pages are served; None for any, if it listens on all networks.
        token: The secret token of this server.
        needs_token: Whether all pages need the token, as for other machines, and not only requests that change things.
    """

    hosts: frozenset[str] | None
    token: str
    needs_token: bool = False

    def knows(self, given: str) -> bool:
        """Return whether a token is that of this server, by a comparison in constant time."""
        return hmac.compare_digest(given.encode(), self.token.encode())


async def form_with_token(request: Request, access: Access) -> dict[str, str]:
    """Return the fields of a form that has the token of this server.

    Raises:
        HTTPException: The form has a wrong token or none (403), or is too long (413).
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise HTTPException(413)
    given = dict(parse_qsl(body.decode("utf-8", errors="replace")))
    if not access.knows(given.get("token", "")):
        raise HTTPException(403)
    return given


class Guard:
    """Refuses requests from other sites, and sets the headers of every response.

    Another site cannot reach this server under its own host name (DNS rebinding), because the host is checked. It
    cannot send a POST, because its origin differs, and cannot load anything, because the browser marks the request as
    cross-site.

    Args:
        app: The application, which gets all other requests.
        access: The rules of access.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it to the application."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        why = next(self._refusals(scope, headers), None)
        if why is not None:
            await PlainTextResponse(f"{why}\n", status_code=403)(scope, receive, send_with_headers)
        elif self._access.needs_token and not self._is_known(headers):
            await self._let_in(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _refusals(self, scope: Scope, headers: Headers) -> Iterator[str]:
        host = headers.get("host", "")
        if self._access.hosts is not None and host.lower() not in self._access.hosts:
            yield f"This server is not {host!r}. Open it under the address that it printed."
        # A link in another site's page may lead here, but such a page may not load, read or send anything.
        is_link = headers.get("sec-fetch-mode") == "navigate" and scope["method"] in _SAFE
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not is_link:
            yield "Another site may not load anything from here."
        if scope["method"] not in _SAFE and headers.get("origin") != f"{scope['scheme']}://{host}":
            yield "Only a page of this server may send this: the Origin of the request is another, or missing."

    def _is_known(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._access.knows(cookie.value)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store the token of an address in a cookie that scripts cannot read, or refuse the request."""
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token", "")
        if scope["method"] in _SAFE and self._access.knows(given):
            answer = RedirectResponse(scope["path"] if scope["path"].startswith("/run") else "/", status_code=303)
            answer.set_cookie(_COOKIE, self._access.token, httponly=True, samesite="strict")
            await answer(scope, receive, send)
            return
        text = "This server wants its token: open the address that it printed, which has it.\n"
        await PlainTextResponse(text, status_code=401)(scope, receive, send)
