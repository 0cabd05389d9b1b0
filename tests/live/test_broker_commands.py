"""The commands of live sessions at a broker, run as a person would against servers of our own by the machine's time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import chdir, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

from live.alpaca_account import AlpacaAccount
from live.alpaca_server import KEYS, AlpacaServer
from live.alpaca_trading_server import AlpacaTradingServer
from live.wall_time import WallTime
from openbell.cli.app import app
from openbell.config import load_config
from openbell.model.feed_events import FeedBar
from openbell.pages.report.assumptions import assumptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINUTE_NS = 60_000_000_000
OPENBELL = [sys.executable, "-m", "openbell"]
CONFIG: dict[str, Any] = {
    "session_name": "paper",
    "mode": "live",
    "live": {"provider": "alpaca"},
    "exchange": "CRYPTO",  # which is open whenever the tests run
    "session_data_config": {"symbols": ["SPY", "QQQ"], "streams": ["1m"]},
    "strategies": [{"module": "first_orders.py:FirstOrders"}],
    "execution": {"broker": "alpaca"},
}
STRATEGY = """
from openbell import Strategy


class FirstOrders(Strategy):
    def setup(self):
        if not self.state.get("given"):
            self.state["given"] = True
            self.context.order("SPY", 10)
            self.context.order("SPY", 5, limit=90.0, tif="gtc")
            self.context.order("QQQ", 3, limit=150.0)
"""


def lately() -> Iterator[FeedBar]:
    """Bars of the last minutes."""
    last_ns = WallTime().now_ns // MINUTE_NS * MINUTE_NS
    for symbol, price in (("SPY", 100.0), ("QQQ", 200.0)):
        for start_ns in range(last_ns - 10 * MINUTE_NS, last_ns, MINUTE_NS):
            yield FeedBar(symbol, "1m", start_ns, price, price, price, price, 1000.0)


class OpenAllDay(AlpacaAccount):
    """An account whose market never closes."""

    is_trading = True  # type: ignore[assignment]


@pytest.fixture(scope="module")
def feed() -> Iterator[AlpacaServer]:
    time_of_wall: Any = WallTime()
    with AlpacaServer(time_of_wall, list(lately())) as made:
        yield made


@pytest.fixture
def broker() -> Iterator[AlpacaTradingServer]:
    time_of_wall: Any = WallTime()
    with AlpacaTradingServer(time_of_wall, []) as made:
        made.account = OpenAllDay(lambda: time_of_wall.now_ns, ["SPY", "QQQ"])
        made.account.fills_at_once = True
        made.trade("SPY", 100.0)
        made.trade("QQQ", 200.0)
        yield made


class Terminal:
    """A folder in which a person gives commands."""

    def __init__(self, folder: Path, feed: AlpacaServer, broker: AlpacaTradingServer) -> None:
        self.folder = folder
        self.broker = broker
        self.environment = {
            **os.environ,
            "APCA_API_STREAM_URL": feed.stream_url,
            "APCA_API_DATA_URL": feed.data_url,
            "APCA_API_BASE_URL": broker.url,
            "APCA_API_TRADE_STREAM_URL": broker.stream_url,
            "APCA_API_KEY_ID": KEYS.key_id,
            "APCA_API_SECRET_KEY": KEYS.secret,
            "XDG_STATE_HOME": str(folder / "state"),
            "COLUMNS": "300",
        }
        self.running: list[subprocess.Popen[str]] = []
        self.said: list[str] = []
        (folder / "first_orders.py").write_text(STRATEGY)

    def config(self, **execution: Any) -> None:
        text = yaml.safe_dump({**CONFIG, "execution": {**CONFIG["execution"], **execution}})
        (self.folder / "paper.yaml").write_text(text)

    def give(self, *command: str) -> tuple[int, str]:
        """Give a command, and return its code and what it said."""
        with chdir(self.folder):  # in this process, which has loaded what it needs
            done = CliRunner().invoke(app, command, env=self.environment)
        self.said.append(done.output)
        return done.exit_code, done.output

    def begin(self, *command: str) -> subprocess.Popen[str]:
        """Begin what goes on until it is stopped."""
        made = subprocess.Popen(
            [*OPENBELL, *command], cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.running.append(made)
        return made

    def end_of(self, run: subprocess.Popen[str]) -> str:
        said = run.communicate(timeout=120)[0]
        self.said.append(said)
        return said

    def status(self, name: str) -> dict[str, Any]:
        path = self.folder / name / "status.json"
        return json.loads(path.read_text()) if path.is_file() else {}

    def statuses(self) -> dict[str, str]:
        """Orders of the broker, by symbol and quantity."""
        with self.broker.lock:
            return {f"{one.symbol} {float(one.qty):g}": one.status for one in self.broker.account.orders.values()}


@pytest.fixture
def terminal(tmp_path: Path, feed: AlpacaServer, broker: AlpacaTradingServer) -> Iterator[Terminal]:
    made = Terminal(tmp_path, feed, broker)
    made.config()
    yield made
    for run in made.running:
        with suppress(ProcessLookupError):
            run.kill()
        run.communicate()


def until(is_so: Callable[[], object], run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_live_money_has_to_be_confirmed_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "first_orders.py").write_text(STRATEGY)
    (tmp_path / "paper.yaml").write_text(
        yaml.safe_dump({**CONFIG, "execution": {"broker": "alpaca", "live_money": True}})
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APCA_API_KEY_ID", KEYS.key_id)
    monkeypatch.setenv("APCA_API_SECRET_KEY", KEYS.secret)
    monkeypatch.delenv("OPENBELL_LIVE_MONEY", raising=False)
    done = CliRunner().invoke(app, ["live", "paper.yaml", "--out", "run"])
    assert done.exit_code
    assert "Set OPENBELL_LIVE_MONEY=yes to trade with live money" in " ".join(done.output.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("mode", "money", "said"),
    [
        ("live", False, "at Alpaca, with paper money"),
        ("live", True, "at Alpaca, with LIVE MONEY"),
        ("backtest", False, "simulated: Alpaca gets those of live sessions alone"),
    ],
)
def test_check_says_where_orders_go(
    mode: str, money: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {"backtest_config": {"start_date": "2026-11-02", "end_date": "2026-11-06"}} if mode == "backtest" else {}
    config = {**CONFIG, **days, "mode": mode, "execution": {"broker": "alpaca", "live_money": money}}
    (tmp_path / "first_orders.py").write_text(STRATEGY)
    (tmp_path / "paper.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["check", "paper.yaml"])
    assert said in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("mode", "first"),
    [("live", "went to Alpaca: fills and their prices are the broker's, nothing is simulated"),
     ("backtest", "simulated: Alpaca gets the orders of live sessions alone")],
)  # fmt: skip
def test_a_report_says_whose_fills_they_are(mode: str, first: str) -> None:
    days = {"backtest_config": {"start_date": "2026-11-02", "end_date": "2026-11-06"}}
    found = list(assumptions(load_config({**CONFIG, **days, "mode": mode})))
    assert found[0][1] == first
    assert ("Slippage" in dict(found)) is (mode == "backtest")


@pytest.mark.long
def test_a_run_is_stopped_goes_on_hangs_is_killed_and_closed_at_the_broker(terminal: Terminal) -> None:
    run = terminal.begin("live", "paper.yaml", "--out", "run")
    until(lambda: "SPY" in str((terminal.status("run").get("account") or {}).get("positions")), run)
    status = terminal.status("run")
    assert status["broker"]["account"] == "paper money at Alpaca, account PA3OPENBELL1"
    assert (status["broker"]["is_connected"], status["broker"]["refusal"]) == (True, "")
    assert KEYS.secret not in Path(f"/proc/{run.pid}/cmdline").read_text()
    assert KEYS.key_id not in Path(f"/proc/{run.pid}/cmdline").read_text()

    code, said = terminal.give("live", "paper.yaml", "--out", "second")
    assert code
    assert f"is traded on by the live run {terminal.folder / 'run'} (process {run.pid})" in said
    assert not (terminal.folder / "second" / "feed.jsonl").exists()

    run.send_signal(signal.SIGTERM)
    said = terminal.end_of(run)
    assert said.splitlines()[0] == "run folder: run"
    assert "paper money at Alpaca, account PA3OPENBELL1" in said.splitlines()[1]
    assert "orders stay open at the broker: buy 5 SPY (limit 90), buy 3 QQQ (limit 150)" in said
    assert "positions stay open at the broker: 10 SPY" in said
    assert terminal.statuses() == {"SPY 10": "filled", "SPY 5": "new", "QQQ 3": "new"}

    run = terminal.begin("live", "--resume", "run")
    until(lambda: terminal.status("run")["state"] == "running", run)
    run.send_signal(signal.SIGSTOP)
    code, said = terminal.give("stop", "run")
    assert code
    assert "run does not answer" in said
    assert "cancelled the order to buy 5 SPY" in said
    assert terminal.statuses() == {"SPY 10": "filled", "SPY 5": "canceled", "QQQ 3": "canceled"}
    run.kill()
    terminal.end_of(run)

    code, said = terminal.give("stop", "run")
    assert code
    assert "as when it is killed" in said
    assert "openbell stop run --flatten" in said
    code, said = terminal.give("stop", "run", "--flatten")
    assert code == 0
    assert "ordered to sell 10 SPY, which closes the position" in said
    assert not terminal.broker.account.positions
    code, said = terminal.give("verify", "run")
    assert code == 0, said
    _assert_no_keys(terminal)


@pytest.mark.long
def test_a_position_that_nobody_ordered_is_shown_adopted_and_closed(terminal: Terminal) -> None:
    terminal.config(at_stop="cancel")
    terminal.broker.do(lambda account: account.submit({"symbol": "QQQ", "qty": "7", "side": "buy", "type": "market",
                                                       "time_in_force": "day"}))  # fmt: skip
    run = terminal.begin("live", "paper.yaml", "--out", "run")
    until(lambda: terminal.status("run").get("state") == "running", run)
    until(lambda: (terminal.status("run").get("broker") or {}).get("refusal"), run)
    assert "QQQ: the run has 0, the broker 7" in terminal.status("run")["broker"]["refusal"]
    assert terminal.give("stop", "run")[0] == 0
    terminal.end_of(run)
    assert terminal.statuses() == {"QQQ 7": "filled"}, "nothing is ordered while the books differ"

    run = terminal.begin("live", "paper.yaml", "--out", "adopted", "--adopt")
    until(lambda: terminal.statuses().get("SPY 10") == "filled", run)
    until(lambda: len((terminal.status("adopted").get("account") or {}).get("positions", ())) == 2, run)
    code, said = terminal.give("stop", "adopted", "--flatten")
    assert code == 0, said
    terminal.end_of(run)
    assert not terminal.broker.account.positions
    assert set(terminal.statuses().values()) == {"filled", "canceled"}
    code, said = terminal.give("verify", "adopted")
    assert code == 0, said
    _assert_no_keys(terminal)


def _assert_no_keys(terminal: Terminal) -> None:
    kept = [path.read_text(errors="replace") for path in terminal.folder.rglob("*") if path.is_file()]
    assert any("PA3OPENBELL1" in text for text in kept)
    for text in (*kept, *terminal.said):
        assert KEYS.key_id not in text
        assert KEYS.secret not in text
