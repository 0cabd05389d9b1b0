"""What went wrong live elsewhere, by its number in the list of failures, and what happens here."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from live.alpaca_server import AlpacaServer
from live.parity import both
from live.server import FeedServer
from live.sessions import early, seer, session
from live.tape import wrong
from live.test_sessions_over_a_socket import DAY, MINUTE, Stage
from live.virtual_time import S
from openbell.live.record.verify import verify_run
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.model.feed_events import FeedBar

pytestmark = pytest.mark.long


@pytest.fixture
def stage(minute_store: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    return Stage(tmp_path, minute_store, getattr(request, "param", FeedServer), exchange=early("12:00"))


each_provider = pytest.mark.parametrize("stage", [FeedServer, AlpacaServer], indirect=True)


def bars_of(stage: Stage, symbol: str, interval: str) -> pl.DataFrame:
    (path,) = (stage.folder / "run" / "bars").rglob(f"{symbol}_{interval}.parquet")
    return pl.read_parquet(path)


def records_of(stage: Stage, symbol: str) -> list[dict[str, Any]]:
    """What the journal says about a symbol."""
    (day,) = json.loads((stage.folder / "run" / "summary.json").read_text())["days"]
    return [record for record in day["provisioning"] if record["symbol"] == symbol]


def require_each_once(stage: Stage, symbol: str) -> None:
    """Every stored minute of the day is there once, in order."""
    first_ns, last_ns = stage.session.first_ns, stage.session.last_ns
    stored = [
        b.start_ns for b in stage.bars if (b.symbol, b.interval) == (symbol, "1m") and first_ns <= b.start_ns < last_ns
    ]
    held = bars_of(stage, symbol, "1m")["timestamp"].cast(pl.Int64).to_list()
    assert [start for start in held if start >= first_ns] == stored


@each_provider
def test_l01_history_that_takes_150_seconds_loses_no_minute(stage: Stage) -> None:
    with stage.server() as server:
        stage.time.at(stage.session.first_ns + 46 * MINUTE, lambda: setattr(server, "history_takes_s", 150.0))
        found = stage.play(server, wait_s=200.0)
    assert found.differences == ()
    require_each_once(stage, "BAC")
    assert min(stage.times_of("BAC")) >= "10:19"


def test_l02_what_is_never_acknowledged_fails_with_its_reason_within_30_seconds(stage: Stage) -> None:
    with stage.server() as server:
        server.omitted = {"BAC"}
        found = stage.play(server)
    assert found.differences == ()
    assert stage.times_of("BAC") == []
    last = records_of(stage, "BAC")[-1]
    assert not last["ok"]
    assert "did not come within 30 seconds: the feed has not acknowledged it" in " ".join(last["errors"])


@each_provider
def test_l05_the_addition_beyond_the_feeds_limit_is_refused_by_name(stage: Stage) -> None:
    with stage.server() as server:
        server.limit = 3
        found = stage.play(server)
        assert server.subscribed <= {"SPY", "IBM", "AIG"}
    assert found.differences == ()
    errors = " ".join(records_of(stage, "BAC")[-1]["errors"])
    assert "takes 3 symbols at the most" in errors or "405 symbol limit exceeded: it is more than" in errors


def test_l06_the_last_bars_of_the_session_come_though_nothing_follows(stage: Stage) -> None:
    close_ns = stage.session.close_ns
    with stage.server() as server:
        found = stage.play(server)
    assert found.differences == ()
    for interval in ("1m", "5m"):
        assert bars_of(stage, "SPY", interval)["end"].cast(pl.Int64).to_list()[-1] == close_ns
    assert Counter(stage.times_of("SPY"))["12:00"] >= 1


def test_l08_bars_that_come_again_are_counted_and_not_appended(stage: Stage) -> None:
    stage.tape.doubled(90.0, lambda bar: bar.interval == "1m" and bar.start_ns % (7 * MINUTE) == 0)
    with stage.server() as server:
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)
    for symbol in ("SPY", "IBM", "AIG", "BAC"):
        require_each_once(stage, symbol)


@each_provider
def test_l11_minutes_that_a_drop_of_the_connection_cost_are_fetched_before_the_next_one(stage: Stage) -> None:
    ten = stage.session.first_ns + 30 * MINUTE
    with stage.server() as server:
        stage.time.at(ten + 20 * S, server.refuse)
        stage.time.at(ten + 220 * S, server.accept)
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)
    for symbol in ("SPY", "IBM", "AIG", "BAC"):
        require_each_once(stage, symbol)


def test_l12_after_a_drop_all_subscriptions_come_back_those_of_mid_session_too(stage: Stage) -> None:
    with stage.server() as server:
        stage.time.at(stage.session.first_ns + 100 * MINUTE + 30 * S, server.cut)
        stage.time.at(stage.session.first_ns + 140 * MINUTE, lambda: asked.update(server.subscribed))
        asked: set[str] = set()
        found = stage.play(server)
    assert found.differences == ()
    assert asked == {"SPY", "IBM", "AIG", "BAC"}


def test_l13_only_closed_bars_with_jitter_within_the_grace(stage: Stage) -> None:
    stage.tape.jitter(1.9, seed=13)
    with stage.server() as server:
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)


def test_bars_of_yesterday_and_of_the_future_are_set_aside(stage: Stage) -> None:
    one = next(
        bar
        for bar in stage.bars
        if (bar.symbol, bar.interval) == ("SPY", "1m") and bar.start_ns > stage.session.first_ns + 60 * MINUTE
    )
    stage.tape.add(one.start_ns, one._replace(start_ns=one.start_ns - DAY))
    stage.tape.add(one.start_ns, one._replace(start_ns=one.start_ns + 60 * MINUTE, close=one.high))
    with stage.server() as server:
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)
    require_each_once(stage, "SPY")


def test_l03_config_scanner_and_strategy_get_the_same_bars(stage: Stage) -> None:
    """SPY, IBM and AIG of the config, BAC of a scanner, and all of them by the subscriptions of two strategies."""
    with stage.server() as server:
        found = stage.play(server)
        assert server.subscribed == set()  # the run is over
    assert found.differences == ()
    for symbol in ("SPY", "IBM", "AIG", "BAC"):
        require_each_once(stage, symbol)


def test_l07_no_bar_is_invented_in_ten_minutes_without_input(stage: Stage) -> None:
    """A healthy feed of which one symbol is quiet, and one that is down: nothing, and a back-fill afterwards."""
    eleven = stage.session.first_ns + 90 * MINUTE
    quiet = range(eleven, eleven + 10 * MINUTE, MINUTE)
    stage.tape.left_out(lambda bar: (bar.symbol, bar.interval) == ("AIG", "1m") and bar.start_ns in quiet)
    with stage.server() as server:
        stage.time.at(eleven + 60 * MINUTE + 5 * S, server.refuse)
        stage.time.at(eleven + 70 * MINUTE + 5 * S, server.accept)
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)
    held = bars_of(stage, "AIG", "1m")["timestamp"].cast(pl.Int64).to_list()
    assert not set(held) & set(quiet)
    require_each_once(stage, "SPY")


def test_l09_a_corrected_minute_is_a_revision_and_no_second_bar(stage: Stage) -> None:
    start_ns = stage.session.first_ns + 61 * MINUTE

    def is_meant(bar: FeedBar) -> bool:
        return (bar.symbol, bar.interval, bar.start_ns) == ("SPY", "1m", start_ns)

    stage.tape.corrected(30, is_meant, wrong)
    with stage.server() as server:
        found = stage.play(server)
    assert found.revisions == 1
    assert found.is_equal
    assert [one.file for one in found.differences if one.file.startswith(("bars/", "indicators/"))] == []
    require_each_once(stage, "SPY")
    assert Counter(stage.times_of("SPY"))["10:32"] == Counter(stage.times_of("SPY"))["10:33"]


def health_of(stage: Stage) -> list[tuple[str, int]]:
    """What strategies heard of the feed, and how many seconds after the open."""
    lines = map(json.loads, (stage.folder / "run" / "feed.jsonl").read_text(encoding="utf-8").splitlines())
    return [(line["health"], (line["at_ns"] - stage.session.first_ns) // S) for line in lines if "health" in line]


@each_provider
def test_l10_a_feed_that_answers_pings_and_sends_nothing_is_stale_and_connected_to_again(stage: Stage) -> None:
    """Silent from 11:00:10 on, and new connections are refused until 11:30."""
    eleven = stage.session.first_ns + 90 * MINUTE

    with stage.server() as server:
        server.is_silent_between(eleven + 10 * S, eleven + 30 * MINUTE + 10 * S)
        found = stage.play(server)
        _, *attempts = server.connects

    (stale, stale_s), *others = health_of(stage)
    assert (stale, [health for health, _ in others]) == ("STALE", ["DOWN", "BACKFILLING", "LIVE"])
    assert stale_s == 93 * 60, "three minutes without a bar of three liquid symbols are no chance"
    gaps = [(b - a) / S for a, b in zip([eleven + 3 * MINUTE + 2 * S, *attempts], attempts, strict=False)]
    longest = [min(2**n, 180) for n in range(len(gaps))]
    assert all(most / 2 <= gap <= most for gap, most in zip(gaps, longest, strict=True)), "they grow"
    assert len({gap / most for gap, most in zip(gaps, longest, strict=True)}) == len(gaps), "each is drawn"
    assert len(gaps) > 10
    assert sum(time_ns <= attempts[0] + MINUTE for time_ns in attempts) <= 10
    assert found.is_equal
    for symbol in ("SPY", "IBM", "AIG", "BAC"):
        require_each_once(stage, symbol)


def test_l10_a_feed_that_stays_silent_after_each_reconnect_is_given_up_again(
    minute_store: Path, tmp_path: Path
) -> None:
    """Silent for two hours in which it connects and has history; what was fetched shows that its symbols trade."""
    stage = Stage(tmp_path, minute_store, exchange=early("13:30"))
    eleven = stage.session.first_ns + 90 * MINUTE
    with stage.server() as server:
        stage.time.at(eleven + 10 * S, lambda: setattr(server, "is_silent", True))
        stage.time.at(eleven + 120 * MINUTE + 10 * S, lambda: setattr(server, "is_silent", False))
        # A minute that is lost shortly before the feed speaks again is nobody's loss until it connects once more.
        stage.time.at(eleven + 120 * MINUTE + 15 * S, server.cut)
        found = stage.play(server)
        _, *attempts = server.connects

    stale = [seconds for health, seconds in health_of(stage) if health == "STALE"]
    assert 15 <= len(stale) <= len(attempts) <= len(stale) + 1 <= 40
    assert max(b - a for a, b in pairwise(stale)) <= 8 * 60
    assert found.is_equal
    # How the draws of the waits fall decides about the last minutes: two at most pass before a silence is no chance.
    held = set(bars_of(stage, "SPY", "1m")["timestamp"].cast(pl.Int64).to_list())
    assert held >= set(range(eleven, eleven + 110 * MINUTE, MINUTE))


@pytest.mark.parametrize("streams", [["1m"], ["1d"]], ids=["quiet", "daily"])
def test_l10_a_quiet_or_daily_set_is_not_stale(stage: Stage, streams: list[str]) -> None:
    """IBM, of which a bar comes every 25 minutes."""
    stage.reconfigure(
        session_data_config={"symbols": ["IBM"], "streams": streams}, strategies=[], scanners=[], execution=None
    )
    stage.tape.left_out(lambda bar: bar.interval == "1m" and bar.start_ns % (25 * MINUTE) > 0)
    stage.bars = [each.bar for each in stage.tape.sent] + [b for b in stage.bars if b.start_ns < stage.session.first_ns]
    with stage.server() as server:
        found = stage.play(server)
        assert len(server.connects) == 1
    assert health_of(stage) == []
    assert found.is_equal


@pytest.mark.parametrize("stored", ["1m", "1s"])
def test_l14_any_accepted_interval_is_provisioned_live_as_in_a_backtest(
    minute_store: Path, tmp_path: Path, stored: str
) -> None:
    """One list: intervals that are stored and that are made of others, as a replay and as a backtest."""
    minutes = ["1m", "5m", "45m", "60m", "1d", "1w"]
    intervals = minutes if stored == "1m" else ["1s", "1m", "45m", "1d"]
    store = minute_store if stored == "1m" else store_of_seconds(minute_store, tmp_path / "seconds")
    config = session(
        seer([("SPY", interval) for interval in intervals if interval != "1s"]),
        symbols=["SPY"],
        streams=intervals,
        indicators=[{"name": "sma", "period": 2, "interval": interval} for interval in intervals],
        exchange=early("11:15", "2013-10-09") if stored == "1s" else "XNYS",
    )
    runs = both(config, store, tmp_path)
    assert runs.differences == []
    held = {path.stem.removeprefix("SPY_") for path in (runs.live / "bars").rglob("*.parquet")}
    assert held == set(intervals)
    assert verify_run(runs.live).differences == ()


def store_of_seconds(minute_store: Path, folder: Path) -> Path:
    """A second of each minute of SPY, and its daily bars."""
    source = BarStore.open(minute_store)
    with BarStore.open_or_create(folder).writer() as writer:
        for interval, name in (("1m", "1s"), ("1d", "1d")):
            writer.write("SPY", name, source.read(["SPY"], interval, None, None).drop("symbol", strict=False))
    return folder
