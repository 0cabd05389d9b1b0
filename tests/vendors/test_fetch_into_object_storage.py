"""A fetch into a bucket brings what one into a folder does, and a second one asks for nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from openbell.actions import ActionStore
from openbell.cli.app import app
from openbell.model.address import StoreAddress
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    from s3_server import S3Server

pytestmark = pytest.mark.long  # a server in a process of its own

SPLIT = {"symbol": "SPY", "old_rate": 1, "new_rate": 2, "ex_date": "2024-03-11", "process_date": "2024-03-11"}


@pytest.fixture
def fetch(alpaca: Any, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, with an S3 server and Alpaca's."""
    s3_server.make_bucket("fetched")
    for name, value in s3_server.environment(tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
    keys = {"APCA_API_KEY_ID": "PKTEST4711KEYID", "APCA_API_SECRET_KEY": "verysecret0815sesame"}
    alpaca.actions = {"forward_splits": [SPLIT]}

    def run(store: object, last: str = "2024-03-15") -> Any:
        words = ["data", "fetch", "alpaca", "SPY", "IBM", "--from", "2024-03-01", "--to", last, "--store", str(store)]
        done = CliRunner().invoke(
            app, [*words, "--requests-per-minute", "100000", "--json"], env={"APCA_API_DATA_URL": alpaca.url, **keys}
        )
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_fetch_into_a_bucket_is_one_into_a_folder(fetch: Any, alpaca: Any, tmp_path: Path) -> None:
    address = StoreAddress("s3", "fetched", "bars")
    here, there = fetch(tmp_path / "store"), fetch(address)

    assert there["added"] == here["added"] > 0
    local, remote = BarStore.open(tmp_path / "store"), BarStore.open(address)
    for symbol in ("SPY", "IBM"):
        assert remote.read([symbol], "1m", None, None).equals(local.read([symbol], "1m", None, None))
    splits = ActionStore(address).read()
    assert len(splits) == 1
    assert splits.equals(ActionStore(tmp_path / "store").read())

    asked = len(alpaca.asked)
    assert fetch(address)["added"] == 0
    assert [path for path, _ in alpaca.asked[asked:]] == ["/v1/corporate-actions"]
    assert fetch(address, "2024-03-18")["added"] > 0, "what came since"
