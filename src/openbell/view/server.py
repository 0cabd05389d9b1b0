"""Web server of the pages."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING

from openbell.errors import ConfigError
from openbell.view.app import view_app
from openbell.view.guard import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import uvicorn

__all__ = ["ViewServer"]

_MOST_WAITING = 128
_GRACE_S = 1


class ViewServer:
    """A web server, which listens from its construction on.

    Args:
        places: Returns the folders that hold runs, or are runs.
        store: The store whose bars are shown, or None for those of the runs' configs.
        host: The address to listen on.
        port: The port; 0 chooses a free one.

    Attributes:
        token: The secret that changes need and, when other machines have access, every page.

    Raises:
        ConfigError: The port is in use, or the address is none of this machine.
    """

    def __init__(
        self,
        places: Callable[[], Sequence[Path]],
        *,
        store: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, backlog=_MOST_WAITING)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {host}, port {port}: {error.strerror or error}. Another program may hold it: "
                "choose one with --port, or any that is free with --port 0."
            ) from error
        port = self._socket.getsockname()[1]
        self._host = f"[{host}]" if ":" in host else host
        self._is_local = _is_local(host)
        self._address = f"{self._host}:{port}"
        access = Access(_hosts(self._host, host, port), self.token, needs_token=not self._is_local)
        self._app = view_app(places, access, store=store, is_ending=self._is_ending)
        self._server: uvicorn.Server | None = None

    def _is_ending(self) -> bool:
        return self._server is not None and self._server.should_exit

    @property
    def address(self) -> str:
        """Address of the first page, with the token if pages need it."""
        return f"http://{self._address}/{'' if self._is_local else f'?token={self.token}'}"

    def serve(self) -> None:
        """Serve until a signal arrives or `stop` is called."""
        import uvicorn

        config = uvicorn.Config(
            self._app, log_level="error", access_log=False, lifespan="off", server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S, ws="none",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        with closing(self._socket):
            self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """Release the port of a server that was not started."""
        self._socket.close()

    def stop(self) -> None:
        """End `serve`, from another thread."""
        if self._server is not None:
            self._server.should_exit = True


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hosts(shown: str, host: str, port: int) -> frozenset[str] | None:
    """Return the values of the Host header under which a user reaches this server, None for any."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- only asked for with --host, and the token guards it
        return None
    names = {shown, *(("localhost", "127.0.0.1", "[::1]") if _is_local(host) else ())}
    return frozenset(f"{name}:{port}".lower() for name in names)
