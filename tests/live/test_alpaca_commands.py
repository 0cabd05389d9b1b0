"""The commands of docs/live-alpaca.md, run as a person would against a server of our own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from live.alpaca_server import KEYS, TIMES, AlpacaServer
from live.alpaca_trading_server import AlpacaTradingServer
from live.wall_time import WallTime
from openbell.cli.app import app
from openbell.model.feed_events import FeedBar
from openbell.model.interval import DAY_NS
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parents[2] / "docs" / "live-alpaca.md"
OPENBELL = [sys.executable, "-m", "openbell"]


def lately(symbol: str) -> Iterator[FeedBar]:
    """Bars of the last sessions."""
    today = date_of(WallTime().now_ns // DAY_NS)
    for number, day in enumerate(TIMES.sessions(today - timedelta(days=12), today)):
        session, prices = TIMES.session(day), (100.0 + number, 102.0 + number, 99.0, 101.0, 1000.0)
        yield FeedBar(symbol, "1d", day_number(day) * DAY_NS, *prices)
        for start_ns in range(session.open_ns, session.close_ns, 60_000_000_000):
            yield FeedBar(symbol, "1m", start_ns, *prices)


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    time_of_wall: Any = WallTime()
    with AlpacaServer(time_of_wall, [*lately("SPY"), *lately("QQQ")]) as made:
        yield made


@pytest.fixture
def environment(server: AlpacaServer) -> dict[str, str]:
    addresses = {"APCA_API_STREAM_URL": server.stream_url, "APCA_API_DATA_URL": server.data_url}
    keys = {"APCA_API_KEY_ID": KEYS.key_id, "APCA_API_SECRET_KEY": KEYS.secret}
    return {**os.environ, **addresses, **keys, "COLUMNS": "120"}


def write_config(folder: Path, name: str = "paper.yaml") -> None:
    (block,) = re.findall(rf"^```yaml file={name}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    (folder / name).write_text(block)


def commands_of(part: int) -> list[list[str]]:
    """The commands before and after the document comes to orders."""
    found = re.findall(r"^    (openbell .*)$", DOCUMENT.read_text().split("## 4. Orders")[part], re.MULTILINE)
    return [[*OPENBELL, *command.split()[1:]] for command in found]


def test_without_keys_the_command_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(app, ["live", "paper.yaml", "--out", "runs/first"])
    assert done.exit_code
    said = " ".join(done.output.split())
    assert "the environment has no APCA_API_KEY_ID and no APCA_API_SECRET_KEY" in said
    assert not (tmp_path / "runs" / "first").exists()


@pytest.mark.long
def test_each_command_of_the_document_runs(server: AlpacaServer, environment: dict[str, str], tmp_path: Path) -> None:
    write_config(tmp_path)
    check, live, stop = commands_of(0)
    options: Any = {"cwd": tmp_path, "env": environment, "text": True, "capture_output": True}
    checked = subprocess.run(check, check=False, **options)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with subprocess.Popen(
        live, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        wait_for(lambda: server.subscribed == {"SPY", "QQQ"}, running)
        arguments = Path(f"/proc/{running.pid}/cmdline")
        shown = arguments.read_text() if arguments.exists() else ""
        stopped = subprocess.run(stop, check=False, **options)
        said = running.communicate(timeout=60)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert json.loads((tmp_path / "runs/first/live.json").read_text())["state"] == "stopped"
    kept = [path.read_text(errors="replace") for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert "alpaca-iex" in "".join(kept)
    for text in (*kept, *said, shown, stopped.stdout):
        assert KEYS.key_id not in text
        assert KEYS.secret not in text


@pytest.mark.long
def test_each_command_about_orders_runs(server: AlpacaServer, environment: dict[str, str], tmp_path: Path) -> None:
    write_config(tmp_path, "paper-orders.yaml")
    check, live, adopting, stop = commands_of(1)
    time_of_wall: Any = WallTime()
    with AlpacaTradingServer(time_of_wall, ["SPY", "QQQ"]) as broker:
        broker.do(lambda account: account.hold("SPY", 10, 100.0))
        addresses = {"APCA_API_BASE_URL": f"{broker.url}/v2", "APCA_API_TRADE_STREAM_URL": broker.stream_url}
        state = {"XDG_STATE_HOME": str(tmp_path / "state")}
        options: Any = {"cwd": tmp_path, "env": {**environment, **addresses, **state}, "text": True}
        checked = subprocess.run(check, check=False, capture_output=True, **options)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        said = []
        for command, end in ((live, stop), (adopting, [*stop[:-2], "runs/adopted"])):
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as running:
                wait_for(lambda: server.subscribed == {"SPY", "QQQ"} and broker.stream.listeners, running)
                wait_for(lambda: ("GET", "/v2/positions") in [each[:2] for each in broker.requests], running)
                stopped = subprocess.run(end, check=False, capture_output=True, **options)
                said.append("".join(running.communicate(timeout=60)))
            assert stopped.returncode == 0, stopped.stdout + stopped.stderr
            first, second, *_ = said[-1].splitlines()
            assert first.startswith("run folder: runs/")
            assert second == "[warning  ] orders are for paper money at Alpaca, account PA3OPENBELL1"
        assert ["SPY: the run has 0, the broker 10" in text for text in said] == [True, False]
        assert broker.account.positions, "which the run did not open"
    kept = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in (*kept, *said) if KEYS.key_id in text or KEYS.secret in text]


@pytest.mark.long
def test_keys_that_are_not_accepted_end_the_command_and_leave_nothing(
    server: AlpacaServer, environment: dict[str, str], tmp_path: Path
) -> None:
    write_config(tmp_path)
    environment["APCA_API_SECRET_KEY"] = wrong = "wrongsecret0123456789"
    done = subprocess.run(
        [*OPENBELL, "live", "paper.yaml", "--out", "runs/first"],
        cwd=tmp_path, env=environment, text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode
    assert "402 auth failed: the keys are not accepted" in said
    assert "Traceback" not in said
    assert wrong not in said
    assert not (tmp_path / "runs" / "first").exists()


def wait_for(is_so: Any, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
