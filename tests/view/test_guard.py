"""Requests of other sites get nothing, and no page loads anything of another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openbell.errors import ConfigError
from openbell.view.server import ViewServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from view.conftest import Served


def test_a_name_that_is_not_this_machines_is_refused(served: Served) -> None:
    port = served.host.partition(":")[2]

    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1:1", "", f"127.0.0.1.evil.example:{port}"):
        assert served.ask("/", Host=host).status == 403, host
    for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"127.0.0.1:{port}"):
        assert served.ask("/", Host=host).status == 200, host


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://{host}", "http://{host}.evil.example"]
)
def test_a_post_of_another_origin_is_refused(served: Served, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin.format(host=served.host)}

    answer = served.ask("/", method="POST", body=f"token={served.server.token}", **headers)

    assert answer.status == 403
    assert "Origin" in answer.text


def test_other_sites_may_link_here_and_load_nothing(served: Served) -> None:
    path = "/static/page.css"

    assert served.ask(path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert served.ask(path, Sec_Fetch_Site="same-site", Sec_Fetch_Mode="cors").status == 403
    assert served.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
    assert served.ask(path, Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="no-cors").status == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/page.css", "/static/nothing.css", "/compare", "/run/0"])
def test_every_answer_has_the_policy(served: Served, path: str) -> None:
    answer = served.ask(path)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "://" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/static/..%2fpage.py", "/static/%2e%2e/page.py", "/run/..%2f..%2fetc", "/run/kept", "/run/%00", "/run/../../x"],
)
def test_names_in_addresses_lead_to_no_path(served: Served, path: str) -> None:
    assert served.ask(path).status == 404


def test_names_and_texts_of_a_run_are_shown_and_not_obeyed(served: Served) -> None:
    listed = served.ask("/").text
    run = next(run for name, run in served.ids().items() if "onerror" in name)
    pages = [listed, served.ask(f"/run/{run}").text]

    for text in pages:
        assert "<img" not in text
        assert "<script>x" not in text
        assert "<script>document" not in text
        assert "\u202e" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in listed


def test_beyond_this_machine_every_page_takes_the_token(start_server: Callable[..., Served]) -> None:
    served = start_server(host="0.0.0.0")
    token = served.server.token

    assert token in served.server.address
    assert served.ask("/").status == 401
    assert served.ask("/static/page.css").status == 401
    assert served.ask("/?token=x").status == 401
    assert served.ask("/", Cookie="openbell-token=é; =;").status == 401
    let_in = served.ask(f"/?token={token}")
    assert let_in.status == 303
    assert "HttpOnly" in let_in.headers["set-cookie"]
    assert "SameSite=strict" in let_in.headers["set-cookie"]
    assert served.ask("/", Cookie=let_in.headers["set-cookie"].partition(";")[0]).status == 200
    assert served.ask("/", method="POST", Cookie=f"openbell-token={token}", Origin="http://x").status == 403


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    first = ViewServer(lambda: [tmp_path])
    port = int(first.address.rpartition(":")[2].rstrip("/"))

    with pytest.raises(ConfigError, match=f"port {port}.*--port"):
        ViewServer(lambda: [tmp_path], port=port)
    first.close()
