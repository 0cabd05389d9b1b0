"""Alpaca's client, a server that has its troubles, and a store that gets each bar once."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from openbell.actions import ActionStore
from openbell.cli.app import app
from openbell.errors import ConfigError
from openbell.maintenance.repair import repair
from openbell.maintenance.verify import verify
from openbell.store.store import BarStore, WriteReport
from openbell.testing import random_bars
from openbell.timing import SimulatedClock, TimeManager
from openbell.vendors.alpaca import AlpacaKeys, AlpacaSource
from openbell.vendors.fetch import fetch
from openbell.vendors.source import SourceRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openbell.vendors.fetch_report import FetchReport

# The fixtures' module is not imported by name: what is in it comes with the fixture.
KEYS = {"APCA_API_KEY_ID": "PKTEST4711KEYID", "APCA_API_SECRET_KEY": "verysecret0815sesame"}
DAYS_OF_MARCH_2024 = 20
BARS_OF_A_DAY = 391  # one at 09:00, and 390 in regular hours


class Fetched:
    """What the command printed, with its exit code."""

    def __init__(self, result: Any) -> None:
        self.code: int = result.exit_code
        self.out: str = result.stdout
        self.err: str = result.stderr
        self.exception = result.exception

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def call(alpaca: Any, store: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """The command on that store and server, which tells no keys, whatever happens."""
    caplog.set_level(logging.DEBUG)
    reported = []

    def run(*arguments: str, environment: dict[str, str] | None = None) -> Fetched:
        words = ["data", "fetch", "alpaca", *arguments, "--store", str(store), "--requests-per-minute", "100000"]
        env = {"APCA_API_DATA_URL": alpaca.url, **(KEYS if environment is None else environment)}
        done = Fetched(CliRunner().invoke(app, words, env=env))
        reported.extend([done.out, done.err, repr(done.exception)])
        return done

    yield run
    text = "".join(reported) + caplog.text
    assert not any(key in text for key in KEYS.values())


MARCH = ("--from", "2024-03-01", "--to", "2024-03-31")


def minutes(store: Path, symbol: str) -> pl.DataFrame:
    return BarStore.open(store).read([symbol], "1m", None, None)


def test_fetches_every_page_and_the_second_time_nothing(alpaca: Any, call: Any, store: Path) -> None:
    first = call("spy", "IBM", *MARCH, "--json")
    asked = len(alpaca.asked)
    before = {p: p.read_bytes() for p in store.rglob("*") if p.is_file()}
    again = call("SPY", "IBM", *MARCH)

    assert (first.code, again.code) == (0, 0), (first.exception, first.err)
    assert first.json["added"] == 2 * DAYS_OF_MARCH_2024 * BARS_OF_A_DAY
    assert first.json["requests"] == 2
    assert asked == 2 * 8 + 1
    assert "nothing to fetch" in again.out
    assert [path for path, _ in alpaca.asked[asked:]] == ["/v1/corporate-actions"]
    assert {p: p.read_bytes() for p in store.rglob("*") if p.is_file()} == before
    frame = minutes(store, "SPY")
    assert str(frame["timestamp"][0]) == "2024-03-01 14:00:00+00:00"
    assert str(frame["timestamp"][-1]) == "2024-03-28 19:59:00+00:00"
    assert frame["high"].unique().to_list() == [101.0]


def test_asks_only_for_the_sessions_that_the_store_lacks(alpaca: Any, call: Any, store: Path) -> None:
    tm = TimeManager("XNYS")
    held = [tm.session(day) for day in tm.sessions(date(2024, 2, 27), date(2024, 3, 5)) if day != date(2024, 2, 29)]
    for session in held:
        starts = pl.int_range(session.open_ns, session.close_ns, 60 * 10**9, eager=True).to_numpy()
        BarStore.open_or_create(store).write("SPY", "1m", random_bars(starts))
    done = call("SPY", "--from", "2024-02-26", "--to", "2024-03-08", "--json")

    assert done.code == 0
    assert alpaca.ranges("SPY") == [
        ("2024-02-26", "2024-02-26"), ("2024-02-29", "2024-02-29"), ("2024-03-06", "2024-03-08"),
    ]  # fmt: skip
    assert done.json["sessions_held"] == 5
    assert done.json["unchanged"] == done.json["revised"] == 0


TOO_MANY = (429, {"Retry-After": "1"}, "too many requests.")


@pytest.mark.parametrize(
    "troubles",
    [[TOO_MANY], [None, TOO_MANY], [(500, {})], [(503, {}), (502, {})], ["cut"], [None, None, "cut", None, "cut"]],
    ids=["429", "429-in-mid-pages", "500", "503-502", "cut", "cut-twice"],
)
def test_what_passes_is_outlasted(alpaca: Any, call: Any, store: Path, troubles: list[Any]) -> None:
    alpaca.troubles.extend(troubles)
    done = call("SPY", *MARCH, "--json", "--no-actions")

    assert done.code == 0, done.err
    assert done.json["added"] == minutes(store, "SPY").height == DAYS_OF_MARCH_2024 * BARS_OF_A_DAY
    assert len(alpaca.asked) == 8 + sum(t is not None for t in troubles), "only the page in trouble is asked for again"
    assert alpaca.too_early == 0


def test_a_symbol_that_does_not_exist_is_reported_and_the_others_are_stored(
    alpaca: Any, call: Any, store: Path
) -> None:
    done = call("SPY", "NOPE", "$$", *MARCH, "--json")

    assert done.code == 1
    assert "error: NOPE: Alpaca has no 1m bars of it from 2024-03-01 to 2024-03-28. Is the symbol right" in done.err
    assert "error: $$: Alpaca answers 400: invalid symbol: $$" in done.err
    assert BarStore.open(store).symbols() == ("SPY",)
    assert {f["subject"] for f in done.json["failed"]} == {"NOPE", "$$"}


def test_when_nothing_comes_no_store_is_made(call: Any, store: Path) -> None:
    done = call("NOPE", *MARCH)

    assert done.code == 1
    assert "No bars came" in done.out
    assert not store.exists()


def test_an_empty_answer_of_a_symbol_that_is_known_is_a_warning(alpaca: Any, call: Any) -> None:
    alpaca.first = "2024-03-01"
    done = call("SPY", "--from", "2024-02-01", "--to", "2024-03-08", "--json")

    assert done.code == 0
    assert "warning: SPY: there are no bars of 20 of the sessions" in done.err
    assert done.json["empty_sessions"] == {"SPY": 20}
    assert done.json["added"] == 6 * BARS_OF_A_DAY


def test_daily_bars_are_stored_under_their_dates_and_revised_when_asked_again(
    alpaca: Any, call: Any, store: Path
) -> None:
    first = call("SPY", *MARCH, "--interval", "1d", "--json")
    alpaca.price = 200.0
    held = call("SPY", *MARCH, "--interval", "1d", "--json")
    again = call("SPY", *MARCH, "--interval", "1d", "--json", "--again")
    frame = BarStore.open(store).read(["SPY"], "1d", None, None)

    assert (first.json["added"], held.json["requests"], again.json["revised"]) == (20, 0, 20)
    assert [str(frame["timestamp"][i]) for i in (0, -1)] == ["2024-03-01 00:00:00+00:00", "2024-03-28 00:00:00+00:00"]
    assert frame["close"].unique().to_list() == [200.0]


def test_bars_that_contradict_themselves_are_set_aside(
    alpaca: Any, call: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = alpaca.bar
    monkeypatch.setattr(alpaca, "bar", lambda t: {**good(t), "h": 1.0} if (t.hour, t.minute) == (15, 0) else good(t))
    done = call("SPY", "--from", "2024-03-01", "--to", "2024-03-01", "--json")

    assert done.code == 0
    assert (done.json["set_aside"], done.json["added"]) == (1, BARS_OF_A_DAY - 1)
    assert "set aside in" in done.err
    (path,) = store.glob("quarantine/*.csv")
    assert "the high is below the low" in path.read_text()


def test_daily_bars_of_many_symbols_come_with_one_request(alpaca: Any, call: Any, store: Path) -> None:
    alpaca.symbols = tuple(f"S{n}" for n in range(50))
    alpaca.page_size = 35  # a page ends in the middle of a symbol
    first = call(*alpaca.symbols, "NOPE", "--from", "2024-03-25", "--to", "2024-03-28", "--interval", "1d", "--json")
    pages = [p for path, p in alpaca.asked if "bars" in path]
    alpaca.asked.clear()
    later = call(*alpaca.symbols, "--from", "2024-03-20", "--to", "2024-03-28", "--interval", "1d", "--json")

    assert (first.json["requests"], len(pages)) == (1, 6)
    assert first.json["added"] == 50 * 4
    assert BarStore.open(store).symbols() == tuple(sorted(alpaca.symbols))
    assert "error: NOPE: Alpaca has no 1d bars" in first.err
    assert (later.json["requests"], later.json["added"], later.json["unchanged"]) == (1, 50 * 3, 0)
    assert alpaca.ranges("S7") == [("2024-03-20", "2024-03-22")]


def test_long_requests_are_of_fewer_symbols_so_that_an_interruption_costs_little(alpaca: Any, call: Any) -> None:
    alpaca.symbols = tuple(f"S{n}" for n in range(12))
    alpaca.page_size = 10_000
    done = call(*alpaca.symbols, "--from", "2014-03-31", "--to", "2024-03-28", "--interval", "1d", "--json")

    sizes = {len(p["symbols"].split(",")) for path, p in alpaca.asked if "bars" in path}
    assert done.code == 0
    assert sizes == {7, 5}
    assert {row["added"] for row in done.json["series"]} == {2517}


def test_a_slip_among_many_symbols_costs_itself_only(alpaca: Any, call: Any, store: Path) -> None:
    alpaca.symbols = tuple(f"S{n}" for n in range(20))
    done = call(*alpaca.symbols[:11], "$$", *alpaca.symbols[11:], *MARCH, "--interval", "1d", "--json")

    assert done.code == 1
    assert BarStore.open(store).symbols() == tuple(sorted(alpaca.symbols))
    assert done.json["failed"] == [{"subject": "$$", "reason": "Alpaca answers 400: invalid symbol: $$"}]
    assert len([1 for path, _ in alpaca.asked if "bars" in path]) < 12


def test_what_the_source_does_not_have_is_asked_for_once(alpaca: Any, call: Any, store: Path) -> None:
    alpaca.first = "2024-03-01"
    alpaca.silent = {"2024-03-05"}
    span = ("SPY", "--from", "2024-02-01", "--to", "2024-03-08", "--no-actions")
    first = call(*span, "--json")
    alpaca.asked.clear()
    second, reported = call(*span, "--json"), call(*span)

    assert first.json["empty_sessions"] == {"SPY": 21}
    assert (second.json["requests"], second.json["sessions_held"], second.json["sessions_unavailable"]) == (0, 5, 21)
    assert alpaca.asked == []
    assert "21 sessions of which Alpaca had no bars before (--refresh asks again)" in reported.out
    # Longer spans ask for the rest only; another feed may have other bars.
    call("SPY", "--from", "2024-01-31", "--to", "2024-03-11", "--no-actions")
    assert alpaca.ranges("SPY") == [("2024-01-31", "2024-01-31"), ("2024-03-11", "2024-03-11")]
    assert call(*span, "--feed", "sip", "--json").json["empty_sessions"] == {"SPY": 21}


def test_bars_that_come_later_are_had_with_refresh_and_then_never_hidden(alpaca: Any, call: Any, store: Path) -> None:
    alpaca.silent = {"2024-03-05"}
    call("SPY", *MARCH)
    alpaca.silent = set()
    assert call("SPY", *MARCH, "--json").json["requests"] == 0
    assert call("SPY", *MARCH, "--refresh", "--json").json["added"] == BARS_OF_A_DAY
    # The store had them, so that they are missed when they are gone.
    day = ("--from", "2024-03-05", "--to", "2024-03-05", "--store", str(store), "--yes")
    CliRunner().invoke(app, ["data", "rm", "SPY", *day])
    assert call("SPY", *MARCH, "--json").json["added"] == BARS_OF_A_DAY


def test_recent_sessions_without_bars_are_asked_for_again(alpaca: Any, store: Path) -> None:
    alpaca.silent = {"2024-02-27", "2024-02-28"}

    def fetched_on(day: str) -> FetchReport:
        tm = TimeManager("XNYS", clock=SimulatedClock(int(datetime.fromisoformat(f"{day}T12:00Z").timestamp()) * 10**9))
        sessions = tm.sessions(date(2024, 2, 20), date(2024, 3, 8))
        return fetch(source(alpaca), BarStore.open_or_create(store), ["SPY"], "1d", sessions, tm, actions=False)

    assert fetched_on("2024-03-09").empty == {"SPY": 2}
    # 30 days after the first of the two, that one is settled.
    assert fetched_on("2024-03-28").empty == {"SPY": 2}
    assert (fetched_on("2024-03-28").empty, fetched_on("2024-03-28").unavailable) == ({"SPY": 1}, 1)
    alpaca.silent = set()
    assert fetched_on("2024-03-28").bars.written == WriteReport(added=1)


def test_a_damaged_memory_is_found_and_repaired(alpaca: Any, call: Any, store: Path) -> None:
    alpaca.silent = {"2024-03-05"}
    call("SPY", *MARCH)
    path = store / "fetched" / "unavailable.parquet"
    path.write_bytes(path.read_bytes()[:-9] + b"123456789")
    refused = call("SPY", *MARCH)

    assert refused.code == 1
    assert f"openbell data repair --store {store}" in refused.err
    assert [finding.path for finding in verify(store).damages] == [path]
    assert [r.outcome for r in repair(store).repairs] == ["set aside"]
    assert verify(store).damages == ()
    assert call("SPY", *MARCH, "--json").json["empty_sessions"] == {"SPY": 1}


@pytest.mark.parametrize("interval", ["1d", "1m"])
def test_bars_that_a_repair_built_are_asked_for_and_revised(alpaca: Any, call: Any, store: Path, interval: str) -> None:
    finer = {"1d": ("1m", 60), "1m": ("1s", 1)}[interval]
    session = TimeManager("XNYS").session(date(2024, 3, 5))
    starts = pl.int_range(session.open_ns, session.close_ns, finer[1] * 10**9, eager=True).to_numpy()
    call("SPY", "--from", "2024-03-04", "--to", "2024-03-06", "--interval", interval, "--no-actions")
    BarStore.open(store).write("SPY", finer[0], random_bars(starts))
    next(store.glob(f"bars/interval={interval}/*/*.parquet")).unlink()
    repair(store)
    opened = BarStore.open(store)
    assert opened.built("SPY", interval).height == opened.coverage_of("SPY", interval).rows > 0

    call("SPY", "--from", "2024-03-04", "--to", "2024-03-06", "--interval", interval, "--no-actions")

    assert opened.built("SPY", interval).is_empty()
    assert opened.coverage_of("SPY", interval).rows == (3 if interval == "1d" else 3 * BARS_OF_A_DAY)


def test_corporate_actions_come_along(alpaca: Any, call: Any, store: Path) -> None:
    alpaca.actions = {
        "forward_splits": [{"symbol": "SPY", "new_rate": 7, "old_rate": 1, "ex_date": "2024-03-05"}],
        "cash_dividends": [{"symbol": "IBM", "rate": 1.66, "special": False, "ex_date": "2024-03-08"}],
        "stock_dividends": [{"symbol": "IBM", "rate": 0.05, "ex_date": "2024-03-12"}],
        "name_changes": [{"old_symbol": "OLD", "new_symbol": "SPY", "process_date": "2024-03-04"}],
        "spin_offs": [{"symbol": "IBM", "new_symbol": "X", "ex_date": "2024-03-20"}],
    }
    first = call("SPY", "IBM", *MARCH, "--json")
    again = call("SPY", "IBM", *MARCH, "--json")

    rows = ActionStore(store).read().select("symbol", "ex_date", "type", "value", "new_symbol").rows()
    assert rows == [
        ("IBM", date(2024, 3, 8), "dividend", 1.66, None),
        ("IBM", date(2024, 3, 12), "split", 1.05, None),
        ("OLD", date(2024, 3, 4), "rename", None, "SPY"),
        ("SPY", date(2024, 3, 5), "split", 7.0, None),
    ]
    assert first.json["actions"] == {"added": 4, "revised": 0, "unchanged": 0}
    assert again.json["actions"] == {"added": 0, "revised": 0, "unchanged": 4}
    assert "not stored: 1 spin offs" in first.err


def test_missing_and_wrong_keys_are_reported_and_shown_nowhere(alpaca: Any, call: Any, store: Path) -> None:
    missing = call("SPY", *MARCH, environment={"APCA_API_KEY_ID": "x", "APCA_API_SECRET_KEY": ""})
    wrong = call("SPY", *MARCH, environment={"APCA_API_KEY_ID": "wrongid77", "APCA_API_SECRET_KEY": "wrongsecret88"})

    assert missing.code == 2
    assert "no APCA_API_SECRET_KEY" in missing.err
    assert wrong.code == 1
    assert "Alpaca refuses (403: forbidden for ***.)" in wrong.err
    assert "wrong" not in wrong.err
    assert len([path for path, _ in alpaca.asked if "bars" in path]) == 1
    assert not store.exists()
    assert "x" not in repr(AlpacaKeys("x", "x")).removeprefix("AlpacaKeys")


def test_dates_without_a_session_that_is_over_are_reported(call: Any) -> None:
    assert call("SPY", "--from", "2024-03-30", "--to", "2024-03-31").code == 2
    assert "is over" in call("SPY", "--from", "2999-01-01").err


def test_without_the_package_the_remedy_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alpaca.data.historical", None)

    with pytest.raises(ConfigError, match=r"pip install 'openbell\[alpaca\]'"):
        AlpacaSource(AlpacaKeys("a", "b"))


def source(alpaca: Any) -> AlpacaSource:
    return AlpacaSource(AlpacaKeys(*KEYS.values()), url=alpaca.url, requests_per_minute=1e6, backoff_s=0.001)


def test_a_server_that_stays_in_trouble_costs_its_request_and_no_other(alpaca: Any, store: Path) -> None:
    tm = TimeManager("XNYS")
    alpaca.troubles.extend([(500, {}, "database is down")] * 6)
    report = fetch(
        source(alpaca), BarStore.open_or_create(store), ["SPY", "IBM"], "1m",
        tm.sessions(date(2024, 3, 1), date(2024, 3, 8)), tm, workers=1,
    )  # fmt: skip

    assert report.failed == [("SPY", "Alpaca answers 500: database is down")]
    assert BarStore.open(store).symbols() == ("IBM",)


def test_a_refusal_ends_the_fetch_and_keeps_what_came_before(alpaca: Any, store: Path) -> None:
    tm = TimeManager("XNYS")
    alpaca.page_size = 10_000
    alpaca.troubles.extend([None, (403, {}, "subscription does not permit")])
    with pytest.raises(SourceRefusedError, match="subscription does not permit"):
        fetch(
            source(alpaca), BarStore.open_or_create(store), ["SPY", "IBM", "A", "B"], "1m",
            tm.sessions(date(2024, 3, 1), date(2024, 3, 8)), tm, workers=1,
        )  # fmt: skip

    assert BarStore.open(store).symbols() == ("SPY",)
    assert len(alpaca.asked) <= 4


@pytest.mark.parametrize("end", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
def test_a_fetch_that_was_ended_goes_on_where_it_was(alpaca: Any, store: Path, call: Any, end: signal.Signals) -> None:
    # One page a month; the second month's answer does not come.
    alpaca.page_size = 10_000
    alpaca.troubles.extend([None, "hang", "hang", "hang"])
    span = ("--from", "2024-02-01", "--to", "2024-03-31", "--no-actions")
    script = "from openbell.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "data", "fetch", "alpaca", "SPY", *span, "--store", str(store)],
        env={**os.environ, **KEYS, "APCA_API_DATA_URL": alpaca.url},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (store / "manifest.parquet").exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(end)
    alpaca.hanging.set()
    reported = process.communicate()[1]
    alpaca.troubles.clear()
    alpaca.asked.clear()
    stored = {str(month) for month in minutes(store, "SPY")["timestamp"].dt.strftime("%Y-%m").unique()}
    done = call("SPY", *span, "--json")

    if end != signal.SIGKILL:
        assert process.returncode == 128 + end
        assert "stopped: what had come is stored" in reported
    assert len(stored) == 1
    assert done.code == 0
    assert len(alpaca.ranges("SPY")) == 1
    assert alpaca.ranges("SPY")[0][0][:7] not in stored
    assert minutes(store, "SPY").height == 40 * BARS_OF_A_DAY
