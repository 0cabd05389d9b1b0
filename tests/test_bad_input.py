"""Bad input through the command line: the exit code, the place, the remedy; and nothing is lost.

Rows of data that contradict themselves are the importers' tests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.store.store import BarStore
from probes import config_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Result = Any  # what CliRunner gives: its home has moved between versions of typer

BURST = """
from openbell.components.strategy import Strategy

class Burst(Strategy):
    def subscriptions(self):
        return [("SPY", "1m")]

    def on_bar(self, bar):
        if bar.end_time.hour == 15:
            return self.context.bars("SPY", "7m").close[-1] / 0

class NotAStrategy:
    pass
"""


@pytest.fixture
def call(minute_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command on a config, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(BURST)

    def run(command: str, config: dict[str, Any] | str, *more: str, store: Path | None = minute_store) -> Any:
        path = tmp_path / "session.yaml"
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))
        named = [] if store is None or command == "check" else ["--store", str(store)]
        return CliRunner().invoke(app, [command, str(path), *named, *more])

    return run


def told(result: Result) -> str:
    """What a person reads on stderr, on one line; a traceback of ours is a failure of its own."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return " ".join(result.stderr.split())


def with_data(**keys: Any) -> dict[str, Any]:
    """A good config with some keys of session_data_config replaced."""
    config = config_of()
    config["session_data_config"].update(keys)
    return config


def with_top(**keys: Any) -> dict[str, Any]:
    return {**config_of(), **keys}


INDICATOR: dict[str, Any] = {"name": "sma", "period": 20, "interval": "5m"}
BAD_CONFIGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an unknown key": (with_data(streems=["1m"]), ["session_data_config", "streems", "did you mean", "streams"]),
    "an unknown key at the top": (with_top(strategy=[]), ["strategy", "strategies"]),
    "an interval that is none": (with_data(streams=["5 minutes"]), ["streams", "5 minutes", "5m"]),
    "ticks": (with_data(streams=["1m", "ticks"]), ["streams", "ticks", "bars, not ticks", "1s"]),
    "quotes": (with_data(streams=["quotes"]), ["streams", "bars, not ticks"]),
    "an interval of no length": (with_data(streams=["0m"]), ["streams", "0m"]),
    "an unknown indicator": (
        with_data(indicators=[{**INDICATOR, "name": "smaa"}]),
        ["indicators[0]", "unknown indicator 'smaa'", "Did you mean", "'sma'"],
    ),
    "an unknown parameter": (
        with_data(indicators=[{"name": "macd", "params": {"fastperiode": 12}}]),
        ["indicators[0]", "macd", "'fastperiode'", "fastperiod"],
    ),
    "a parameter out of bounds": (
        with_data(indicators=[{**INDICATOR, "period": 1_000_000}]),
        ["indicators[0]", "sma", "from"],
    ),
    "a session indicator on days": (
        with_data(indicators=[{"name": "vwap", "interval": "1d"}]),
        ["indicators[0]", "vwap", "intraday"],
    ),
    "an unknown calendar": (with_top(exchange="XNYSE"), ["exchange", "XNYSE", "Did you mean", "XNYS"]),
    "the start after the end": (
        with_top(backtest_config={"start_date": "2013-10-11", "end_date": "2013-10-10"}),
        ["end_date", "2013-10-10", "2013-10-11"],
    ),
    "no session in the range": (
        with_top(backtest_config={"start_date": "2013-10-12", "end_date": "2013-10-13"}),
        ["backtest_config", "no session", "2013-10-12"],
    ),
    "a day that is none": (
        with_top(backtest_config={"start_date": "2013-02-30", "end_date": "2013-10-13"}),
        ["start_date", "2013-02-30"],
    ),
    "a module that is not there": (
        with_top(strategies=[{"module": "minee:Burst"}]),
        ["strategies[0].module", "no module 'minee'", "mine"],
    ),
    "a file that is not there": (
        with_top(strategies=[{"module": "mime.py:Burst"}]),
        ["strategies[0].module", "mime.py", "Did you mean", "mine.py"],
    ),
    "a class that is not there": (
        with_top(strategies=[{"module": "mine.py:Bursts"}]),
        ["strategies[0].module", "unknown class 'Bursts'", "'Burst'"],
    ),
    "a class that is no strategy": (
        with_top(strategies=[{"module": "mine.py:NotAStrategy"}]),
        ["strategies[0].module", "not a strategy", "Derive"],
    ),
    "a universe file that is not there": (
        with_top(scanners=[{"module": "openbell.examples.gap:Gap", "universe": "universe.txt", "pre_session": True}]),
        ["scanners[0].universe", "universe.txt"],
    ),
    "trailing days below 0": (
        with_data(historical={"data": [{"trailing_days": -1, "intervals": ["1m"]}]}),
        ["historical.data[0].trailing_days", "0"],
    ),
    "live": (with_top(mode="live"), ["live", "provider", "url"]),
    "no symbols": (with_data(symbols=[]), ["symbols", "at least one"]),
}


@pytest.mark.parametrize("command", ["check", "plan", "run"])
@pytest.mark.parametrize("case", BAD_CONFIGS)
def test_a_bad_config_names_the_place_and_the_remedy(
    call: Callable[..., Result], tmp_path: Path, command: str, case: str
) -> None:
    config, parts = BAD_CONFIGS[case]
    result = call(command, config)

    assert result.exit_code == 2
    message = told(result)
    for part in parts:
        assert part in message, message
    assert "session.yaml" in message
    assert not (tmp_path / "runs").exists(), "nothing was run"


def test_all_problems_are_told_at_once_with_their_lines(call: Callable[..., Result]) -> None:
    text = """\
exchange: XNYS
backtest_config: {start_date: 2013-10-10, end_date: 2013-10-11}
session_data_config:
  symbols: [SPY]
  streems: [1m]
  streams: [1m, ticks]
"""
    message = told(call("run", text))
    assert "2 problems" in message
    assert "(line 5)" in message
    assert "(line 6)" in message


def test_an_underivable_interval_is_told_per_symbol(call: Callable[..., Result]) -> None:
    result = call("run", with_data(streams=["5s"], symbols=["SPY", "IBM"]))

    assert result.exit_code == 3
    message = told(result)
    for part in (
        "none of the 2 symbols",
        "SPY",
        "IBM",
        "5s cannot be derived",
        "needs 1s bars",
        "holds 1m, 1d",
        "Import",
    ):
        assert part in message


def test_intervals_that_lack_the_same_bars_are_told_once(call: Callable[..., Result]) -> None:
    result = call("run", with_data(streams=["5s", "10s", "30s"]))

    assert result.exit_code == 3
    logged, _, error = told(result).partition("error:")
    assert error.count("cannot be derived") == 1
    assert " 5s, 10s, 30s cannot be derived" in error
    assert logged.count("cannot be derived") == logged.count("5s, 10s, 30s cannot be derived") == 1


def test_an_underivable_interval_of_an_addition_is_refused_and_the_session_goes_on(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "more.py").write_text(
        "from openbell.components.strategy import Strategy\n"
        "class More(Strategy):\n"
        "    def setup(self):\n"
        "        assert not self.context.add_bar('SPY', '5s')\n"
    )
    result = call("run", with_top(strategies=[{"module": "more.py:More"}]), "--json")

    assert result.exit_code == 0
    record = json.loads(result.stdout)["days"][0]["provisioning"][-1]
    assert "5s cannot be derived" in record["errors"][0]


def test_too_little_history_is_told_with_the_numbers(call: Callable[..., Result]) -> None:
    config = with_top(backtest_config={"start_date": "2013-10-07", "end_date": "2013-10-07"})
    config["session_data_config"]["indicators"] = [{"name": "sma", "period": 40, "interval": "30m"}]
    result = call("run", config)

    assert result.exit_code == 3
    for part in ("SPY", "sma_40_30m", "needs 40 bars", "has 13", "2013-10-04"):
        assert part in told(result)


def test_symbols_that_the_store_does_not_have(call: Callable[..., Result]) -> None:
    result = call("run", with_data(symbols=["SPYY"]))
    assert result.exit_code == 3
    assert "has no bars of SPYY. Did you mean 'SPY'?" in told(result)


def test_one_good_symbol_is_enough(call: Callable[..., Result]) -> None:
    result = call("run", with_data(symbols=["NOPE", "SPY"]), "--json")
    assert result.exit_code == 0
    assert list(json.loads(result.stdout)["days"][0]["dropped"]) == ["NOPE"]


def test_a_day_without_data(call: Callable[..., Result]) -> None:
    result = call("run", with_top(backtest_config={"start_date": "2013-10-14", "end_date": "2013-10-14"}))
    assert result.exit_code == 3
    for part in ("no symbol had a bar on 2013-10-14", "SPY 1m from 2013-10-04 to 2013-10-11"):
        assert part in told(result)


def test_days_without_data_are_reported_and_the_others_are_run(call: Callable[..., Result], tmp_path: Path) -> None:
    config = with_top(backtest_config={"start_date": "2013-10-10", "end_date": "2013-10-15"})
    result = call("run", config, "--out", str(tmp_path / "out"))

    assert result.exit_code == 0
    assert "no symbol had a bar on 2013-10-14" in told(result)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    streamed = {day["date"]: day["bars_streamed"] > 0 for day in summary["days"]}
    assert streamed == {"2013-10-10": True, "2013-10-11": True, "2013-10-14": False, "2013-10-15": False}
    assert "no symbol had a bar on 2013-10-15" in summary["warnings"]


class TestStore:
    @pytest.mark.parametrize("command", ["plan", "run"])
    def test_none_is_named(self, call: Callable[..., Result], command: str) -> None:
        result = call(command, config_of(), store=None)
        assert result.exit_code == 2
        assert "--store DIR" in told(result)

    @pytest.mark.parametrize("command", ["plan", "run"])
    def test_the_folder_is_not_there(self, call: Callable[..., Result], tmp_path: Path, command: str) -> None:
        result = call(command, config_of(), store=tmp_path / "nowhere")
        assert result.exit_code == 2
        for part in ("nowhere", "openbell data import"):
            assert part in told(result)
        assert not (tmp_path / "nowhere").exists()

    @pytest.mark.parametrize("command", ["plan", "run"])
    def test_the_folder_is_no_store(self, call: Callable[..., Result], tmp_path: Path, command: str) -> None:
        (tmp_path / "letters").mkdir()
        (tmp_path / "letters" / "dear.txt").write_text("dear")
        result = call(command, config_of(), store=tmp_path / "letters")
        assert result.exit_code == 2
        for part in ("letters", "not an openbell store", "openbell data import"):
            assert part in told(result)
        assert [p.name for p in (tmp_path / "letters").iterdir()] == ["dear.txt"]

    def test_a_damaged_file_costs_its_symbol_only_and_is_named(
        self, call: Callable[..., Result], own_store: Path
    ) -> None:
        (path,) = (own_store / "bars" / "interval=1m" / "symbol=IBM").glob("*.parquet")
        path.write_bytes(path.read_bytes()[:-100])
        result = call("run", with_data(symbols=["SPY", "IBM"]), "--json", store=own_store)

        assert result.exit_code == 0
        day = json.loads(result.stdout)["days"][0]
        assert list(day["symbols"]) == ["SPY"]
        for part in (str(path), "damaged", "import"):
            assert part in day["dropped"]["IBM"][0]
        assert path.exists()
        assert BarStore.open(own_store).intervals("IBM") == ("1m", "1d"), "nothing was thrown away"

    def test_when_it_was_the_only_symbol_nothing_can_be_provisioned(
        self, call: Callable[..., Result], own_store: Path
    ) -> None:
        (path,) = (own_store / "bars" / "interval=1m" / "symbol=SPY").glob("*.parquet")
        path.write_bytes(b"")
        result = call("run", config_of(), store=own_store)
        assert result.exit_code == 3
        assert str(path) in told(result)


class TestRaisingStrategy:
    def test_it_ends_the_run_with_its_traceback_and_the_session_time(
        self, call: Callable[..., Result], tmp_path: Path
    ) -> None:
        result = call("run", with_top(strategies=[{"module": "mine.py:Burst"}]), "--out", str(tmp_path / "out"))

        assert result.exit_code == 1
        message = told(result)
        for part in (
            "Traceback",
            "mine.py",
            "line 10",
            "strategy Burst.on_bar raised DataError at 2013-10-10T11:00:00-04:00",
            "7m bars of SPY",
        ):
            assert part in message
        assert json.loads((tmp_path / "out" / "summary.json").read_text())["days"] == []
        records = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
        done = [(r["operation_type"], r["symbol"]) for r in records]
        assert done == [("symbol", "SPY"), ("bar", "SPY")], "what was done until then is kept"


def test_exit_code_0_when_all_is_well(call: Callable[..., Result]) -> None:
    for command in ("check", "plan", "run"):
        result = call(command, with_data(symbols=["SPY"]), "--json")
        assert result.exit_code == 0, result.stderr
        json.loads(result.stdout)
