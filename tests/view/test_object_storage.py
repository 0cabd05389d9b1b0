"""Pages of runs whose store lies in object storage, by its address in the config and by --store."""

from __future__ import annotations

import json
import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from openbell.testing import bar_starts, make_store, random_bars
from pages.conftest import made_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from s3_server import S3Server
    from view.conftest import Served

pytestmark = pytest.mark.long

_NUMBERS = count(1)
DAY = "2024-03-12"


@pytest.fixture
def address(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a store of one symbol in a bucket of its own."""
    bucket = f"view-{next(_NUMBERS)}"
    s3_server.make_bucket(bucket)
    for name, value in s3_server.environment(tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
    make_store(f"s3://{bucket}/bars", {"ALFA": {"1m": random_bars(bar_starts("2024-03-11", DAY))}})
    return f"s3://{bucket}/bars"


def test_all_pages_show_a_store_by_its_address(
    address: str, start_server: Callable[..., Served], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    made_run(runs / "of-config", address, ["ALFA", "NONE"], backtest_config={"start_date": DAY, "end_date": DAY})

    for served in (start_server(runs), start_server(runs, store=address)):
        run = served.ids()["of-config"]
        chart = served.chart(run, "ALFA", day=DAY, interval="5m", sessions="2")
        data = served.ask("/data").text
        check = served.ask("/data/check?symbol=ALFA")
        why = served.ask(f"/run/{run}/why?symbol=OTHER").text
        body = f"token={served.server.token}"
        served.ask(f"/run/{run}/session/{DAY}/play", method="POST", body=body, Origin=f"http://{served.host}")
        while (state := json.loads(served.ask(f"/run/{run}/data/playing?day={DAY}").text)["state"]) == "playing":
            time.sleep(0.05)

        assert chart["rows"] == 2 * 78
        assert address in data
        assert "<td>ALFA</td>" in data
        assert check.status == 200
        assert "ALFA" in check.text
        assert "Its store has no bars of it either" in why
        assert state == "ready"
        assert served.ask(f"/run/{run}").status == 200
        assert served.ask(f"/run/{run}/session/{DAY}").status == 200


def test_a_bucket_that_is_not_there_is_said(address: str, start_server: Callable[..., Served], tmp_path: Path) -> None:
    served = start_server(tmp_path, store=f"{address}-gone")

    answer = served.ask("/data")

    assert answer.status == 422
    assert "-gone" in answer.text
