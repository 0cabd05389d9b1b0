"""A config says what it means, and every mistake in it is told with its place and its remedy."""

from __future__ import annotations

import json
import pickle
from copy import deepcopy
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config import IndicatorConfig, SessionConfig, load_config
from openbell.errors import ConfigError, InvalidConfigError

DESIGN_EXAMPLE = """\
session_name: opening-range
mode: backtest
exchange: XNYS
store: bars
backtest_config: {start_date: 2013-10-10, end_date: 2013-10-11}
session_data_config:
  symbols: [SPY, IBM, BADTICKER]
  streams: [1m, 5m, 15m]
  historical:
    data:
      - {trailing_days: 3, intervals: [1m, 5m], apply_to: all}
      - {trailing_days: 20, intervals: [1d], apply_to: [SPY]}
  indicators:
    - {name: sma, period: 20, interval: 5m}
    - {name: macd, interval: 15m, params: {fastperiod: 12, slowperiod: 26, signalperiod: 9}}
scanners:
  - {module: "my_scanners:Gap", pre_session: true, schedule: [{start: "09:35", end: "15:55", every: 5m}], config: {}}
strategies:
  - {module: "my_strategies.py:EmaCross", config: {fast: 10, slow: 20}}
"""

TOML_EXAMPLE = """\
session_name = "toml"
[backtest_config]
start_date = 2013-10-10
end_date = 2013-10-11
[session_data_config]
symbols = ["SPY"]
"""


def small(**data: Any) -> dict[str, Any]:
    """A small good config, with more keys in its session_data_config."""
    return {
        "backtest_config": {"start_date": "2013-10-10", "end_date": "2013-10-11"},
        "session_data_config": {"symbols": ["SPY", "IBM"], **data},
    }


def with_scanner(**keys: Any) -> dict[str, Any]:
    return {**small(), "scanners": [{"module": "m:C", "pre_session": True, **keys}]}


def problems(config: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(InvalidConfigError) as caught:
        load_config(config)
    return caught.value.problems


def written(folder: Path, text: str, name: str = "session.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


class TestReading:
    def test_the_design_example_reads_as_it_is_meant(self, tmp_path: Path) -> None:
        config = load_config(written(tmp_path, DESIGN_EXAMPLE))

        data = config.session_data_config
        assert data.symbols == ("SPY", "IBM", "BADTICKER")
        assert data.historical.data[1].apply_to == ("SPY",)
        assert data.indicators[0] == IndicatorConfig("sma", period=20, interval="5m")
        assert config.backtest_config.end_date == date(2013, 10, 11)
        assert config.scanners[0].schedule[0].start == time(9, 35)
        assert config.source_path == tmp_path / "session.yaml"
        assert config.store == tmp_path / "bars"

    def test_yaml_json_and_toml_read_the_same(self, tmp_path: Path) -> None:
        toml = load_config(written(tmp_path, TOML_EXAMPLE, "s.toml"))
        as_json = load_config(written(tmp_path, json.dumps(toml.resolved()), "s.json"))
        yaml = load_config(written(tmp_path, json.dumps(toml.resolved()), "s.yml"))

        assert toml.resolved() == as_json.resolved() == yaml.resolved()

    def test_tickers_and_times_that_older_yaml_turns_into_something_else_stay_what_they_are(
        self, tmp_path: Path
    ) -> None:
        text = DESIGN_EXAMPLE.replace("IBM, BADTICKER", "ON, NO, Y, 0700").replace('"15:55"', "15:55")

        config = load_config(written(tmp_path, text))

        assert config.session_data_config.symbols == ("SPY", "ON", "NO", "Y", "0700")
        assert config.scanners[0].schedule[0].end == time(15, 55)

    def test_intervals_are_canonical(self) -> None:
        config = load_config(small(streams=["1m", "1h"], indicators=[{"name": "SMA", "interval": "120s"}]))

        assert config.session_data_config.streams == ("1m", "60m")
        assert config.session_data_config.indicators[0] == IndicatorConfig("sma", interval="2m")

    def test_a_scanner_may_have_its_universe_as_a_list_or_as_a_file(self) -> None:
        assert load_config(with_scanner(universe=["A", "B"])).scanners[0].universe == ("A", "B")
        assert load_config(with_scanner(universe="u.txt")).scanners[0].universe == Path("u.txt")

    def test_the_command_line_may_replace_the_store(self) -> None:
        assert load_config(small()).with_store(Path("elsewhere")).store == Path("elsewhere")


INTERVALS = st.sampled_from(["1s", "1m", "5m", "7m", "60m", "1d", "1w"])
SYMBOL_LISTS = st.lists(st.from_regex(r"[A-Z]{1,5}(\.[AB])?", fullmatch=True), min_size=1, max_size=5, unique=True)
INDICATORS = st.builds(
    dict,
    name=st.sampled_from(["sma", "ema", "macd", "vwap"]),
    period=st.none() | st.integers(1, 500) | st.floats(0.5, 500),
    interval=INTERVALS,
    params=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers() | st.booleans(), max_size=3),
)

POLICIES = st.sampled_from(["none", "forward"])


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    symbols = draw(SYMBOL_LISTS)
    interval_lists = st.lists(INTERVALS, min_size=1, max_size=4, unique=True)
    first, last = sorted([draw(st.dates()), draw(st.dates())])
    history = st.builds(
        dict,
        trailing_days=st.integers(0, 300),
        intervals=interval_lists,
        apply_to=st.just("all") | st.lists(st.sampled_from(symbols), min_size=1, unique=True),
    )
    return {
        "backtest_config": {"start_date": first, "end_date": last},
        "session_data_config": {
            "symbols": symbols,
            "streams": draw(interval_lists),
            "historical": {"data": draw(st.lists(history, max_size=3))},
            "indicators": draw(
                st.lists(INDICATORS, max_size=4, unique_by=lambda one: repr(sorted(one.items(), key=str)))
            ),
            "min_completeness": draw(st.floats(0, 1)),
            "gap_policy": draw(POLICIES | st.dictionaries(st.sampled_from(["5m", "1h", "default"]), POLICIES)),
        },
    }


@given(configs())
def test_what_a_config_resolves_to_reads_as_the_same_config(config: dict[str, Any]) -> None:
    loaded = load_config(config)

    assert load_config(json.loads(json.dumps(loaded.resolved()))) == loaded


def test_the_same_indicator_is_equal_and_hashes_equal_however_it_is_written() -> None:
    one = IndicatorConfig("EMA", 10, "1h", {"a": 1, "b": 2})
    other = IndicatorConfig(name="ema", period=10, interval="60m", params={"b": 2, "a": 1})

    assert one == other
    assert hash(one) == hash(other)


def test_an_indicator_config_survives_copies_and_pickles() -> None:
    indicator = IndicatorConfig("ema", 10, "5m", {"a": 1})

    assert deepcopy(indicator) == pickle.loads(pickle.dumps(indicator)) == indicator


def test_an_indicator_config_cannot_be_changed() -> None:
    indicator = IndicatorConfig("ema", params={"a": 1})

    with pytest.raises(AttributeError):
        indicator.period = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        indicator.params["a"] = 2  # type: ignore[index]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"interval": "ticks"}, "interval: bad interval 'ticks': openbell works on bars, not ticks"),
        ({"period": 0}, "period: must be above 0, not 0"),
        ({"period": True}, "period: must be a number, not True"),
        ({"period": float("nan")}, "period: must be a number, not nan"),
        ({"periods": 3}, "periods: unknown key; did you mean 'period'?"),
        ({"params": {"fast": [1]}}, "params: parameter 'fast' must be a number, text, true or false, not [1]"),
    ],
)
def test_a_bad_indicator_made_in_code_is_a_config_error(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        IndicatorConfig("ema", **keys)

    assert told in str(caught.value)


def levels(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every level of a config that has keys of its own, with its place."""
    data = config["session_data_config"]
    return [
        ("", config),
        ("backtest_config", config["backtest_config"]),
        ("session_data_config", data),
        ("session_data_config.historical", data["historical"]),
        ("session_data_config.historical.data[0]", data["historical"]["data"][0]),
        ("session_data_config.indicators[0]", data["indicators"][0]),
        ("scanners[0]", config["scanners"][0]),
        ("scanners[0].schedule[0]", config["scanners"][0]["schedule"][0]),
        ("strategies[0]", config["strategies"][0]),
    ]


@given(st.data())
def test_a_misspelt_key_is_told_with_its_place_and_the_nearest_key(data: st.DataObject) -> None:
    config = load_config(
        {
            **small(
                historical={"data": [{"trailing_days": 1, "intervals": ["1m"]}]},
                indicators=[{"name": "sma", "period": 3, "params": {"a": 1}}],
            ),
            "scanners": [{"module": "m:C", "schedule": [{"start": "09:35", "end": "10:00", "every": "5m"}]}],
            "strategies": [{"module": "m:C"}],
        }
    ).resolved()
    place, level = data.draw(st.sampled_from(levels(config)))
    key = data.draw(st.sampled_from([k for k in level if len(k) > 3]))
    at = data.draw(st.integers(1, len(key) - 1))
    misspelt = key[:at] + "x" + key[at:]
    level[misspelt] = level[key]

    told = problems(config)

    assert len(told) == 1
    assert told[0].startswith(f"{place}.{misspelt}: unknown key; did you mean ".lstrip("."))
    assert f"'{key}'" in told[0]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            {**small(), "strategies": [ConfigError]},
            'a config names it: write {"module": "openbell.errors:ConfigError"}, or "file.py:ConfigError" for one in',
        ),
        ({**small(), "scanners": [{"module": ConfigError}]}, "scanners[0].module: is the class ConfigError itself"),
        ({**small(), "symbols": ["A"]}, "symbols: unknown key here; 'symbols' belongs in session_data_config"),
        (
            {**small(), "session_hours": "extended"},
            "session_hours: unknown key here; 'session_hours' belongs in session_data_config",
        ),
        (
            small(exchange="XNYS"),
            "session_data_config.exchange: unknown key here; 'exchange' belongs at the top of the file",
        ),
        (
            small(streams=["1m", "ticks"]),
            "session_data_config.streams[1]: bad interval 'ticks': openbell works on bars",
        ),
        (small(streams=["5"]), "session_data_config.streams[0]: bad interval '5'"),
        (small(streams=[5]), "session_data_config.streams[0]: bad interval '5'"),
        (small(streams="1m"), "session_data_config.streams: must be a list, not '1m'"),
        (small(streams=[]), "session_data_config.streams: is empty"),
        (small(streams=["1h", "60m"]), "session_data_config.streams: 60m occurs twice"),
        (small(symbols=[]), "session_data_config.symbols: the list of symbols is empty"),
        (small(symbols=["A", "B", "A"]), "session_data_config.symbols: A occurs more than once"),
        (small(symbols=["A", ""]), "session_data_config.symbols: bad symbol ''"),
        (small(symbols=[700]), "session_data_config.symbols: a symbol is text, not 700. Put it in quotes."),
        (small(symbols="SPY"), "session_data_config.symbols: must be a list of symbols, not 'SPY'. Write [SPY]."),
        (
            small(indicators=[{"name": "sma"}, {"name": "SMA"}]),
            "session_data_config.indicators: entries 0 and 1 (sma) are the same",
        ),
        (small(indicators=["sma"]), "session_data_config.indicators[0]: must be a mapping (key: value), not 'sma'"),
        (small(min_completeness=2), "session_data_config.min_completeness: must be less than or equal to 1, not 2"),
        (small(on_shortfall="rejects"), "session_data_config.on_shortfall: must be 'reject' or 'warm', not 'rejects'"),
        (
            small(historical={"data": [{"trailing_days": -1, "intervals": ["1m"]}]}),
            "session_data_config.historical.data[0].trailing_days: must be greater than or equal to 0, not -1",
        ),
        (
            small(historical={"data": [{"trailing_days": 1, "intervals": ["1m"], "apply_to": ["SPY", "QQQ"]}]}),
            "session_data_config.historical: data[0].apply_to names QQQ, which is not in session_data_config.symbols",
        ),
        (
            small(historical={"data": [{"trailing_days": 1, "intervals": ["1m"], "apply_to": "SPY"}]}),
            "apply_to: must be \"all\" or a list of symbols, not 'SPY'. Write [SPY].",
        ),
        (small(gap_policy="fwd"), "session_data_config.gap_policy: must be 'none' or 'forward', not 'fwd'"),
        (small(gap_policy={"1m": "fwd"}), "gap_policy.1m: must be 'none' or 'forward', not 'fwd'"),
        (small(gap_policy={"A": {"1m": 1}}), "gap_policy.A.1m: must be 'none' or 'forward', not 1"),
        (small(gap_policy={"A": None}), "gap_policy.A: must be 'none' or 'forward', not None"),
        (small(gap_policy={"1min": "none"}), "gap_policy: bad interval '1min'"),
        (small(gap_policy={"A": {"SPY": "none"}}), "gap_policy.A: bad interval 'SPY'"),
        (small(gap_policy={"1h": "none", "60m": "forward"}), "gap_policy: 60m occurs twice (1h and 60m are the same"),
        (small(gap_policy={700: "none"}), "gap_policy: a symbol is text, not 700. Put it in quotes."),
        (
            small(gap_policy={"1m": {"SPY": "none"}}),
            "gap_policy: 1m takes one word. Write the symbol first, then its intervals: {SYMBOL: {1m: none}}.",
        ),
        (small(gap_policy={"1d": "forward"}), "gap_policy: 1d: bars of a day or longer are never filled"),
        (small(gap_policy={"A": {"1w": "forward"}}), "gap_policy.A: 1w: bars of a day or longer are never filled"),
        ({**small(), "mode": "paper"}, "mode: must be 'backtest' or 'live', not 'paper'"),
        ({**small(), "backtest_config": None}, "backtest_config: is required but missing"),
        ({**small(), "live": {"grace": "2s"}}, "live: a websocket feed needs its address"),
        ({**small(), "live": {"url": "ws://a:1", "grace": "1d"}}, "live.grace: "),
        ({**small(), "session_name": "a/b"}, "session_name: 'a/b' cannot be used"),
        (with_scanner(module="my_scanners"), "scanners[0].module: 'my_scanners' does not name a class"),
        (with_scanner(pre_session=False), "scanners[0].pre_session: the scanner would never run"),
        (
            with_scanner(schedule=[{"start": "9h35", "end": "16:00", "every": "5m"}]),
            "scanners[0].schedule[0].start: must be a time of day, not '9h35'",
        ),
        (
            with_scanner(schedule=[{"start": "09:75", "end": "16:00", "every": "5m"}]),
            "scanners[0].schedule[0].start: '09:75' is not a time of day",
        ),
        (
            with_scanner(schedule=[{"start": "09:35", "end": "16:00", "every": "1d"}]),
            "scanners[0].schedule[0].every: 1d is not within a session",
        ),
        ({"backtest_config": small()["backtest_config"]}, "session_data_config: is required but missing"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(config: dict[str, Any], told: str) -> None:
    assert any(told in problem for problem in problems(config)), problems(config)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2013-10-09", "2013-10-09 is before start_date 2013-10-10"),
        ("10/11/2013", "must be a date written year-month-day, not '10/11/2013'"),
        ("2013-02-30", "'2013-02-30' is not a day of the calendar"),
        ("2013-10-10T09:30:00", "must be a date written year-month-day"),
        (20131011, "must be a date written year-month-day, not 20131011"),
    ],
)
def test_a_bad_day_is_told(day: object, told: str) -> None:
    config = small()
    config["backtest_config"]["end_date"] = day

    assert problems(config)[0].startswith(f"backtest_config.end_date: {told}")


@pytest.mark.parametrize("day", ["2013-02-30", "2013-10-11 09:30:00", "20131011"])
@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
def test_a_bad_day_in_a_file_is_told_with_its_key(tmp_path: Path, day: str, suffix: str) -> None:
    config = small()
    config["backtest_config"]["end_date"] = "DAY"
    texts = {
        "yaml": json.dumps(config).replace('"DAY"', day),
        "json": json.dumps(config).replace("DAY", day),
        "toml": TOML_EXAMPLE.replace("2013-10-11", f'"{day}"'),
    }

    with pytest.raises(InvalidConfigError, match=r"backtest_config\.end_date: .*year-month-day|is not a day"):
        load_config(written(tmp_path, texts[suffix], f"s.{suffix}"))


def test_all_problems_of_a_file_are_told_together_in_the_order_of_its_lines(tmp_path: Path) -> None:
    text = (
        DESIGN_EXAMPLE.replace("mode: backtest", "mode: lively")
        .replace("streams: [1m, 5m, 15m]", "streems: [1m]")
        .replace("period: 20, interval: 5m", "period: 20, interval: ticks")
        .replace("start_date: 2013-10-10", "start_date: 2013-10-12")
    )

    with pytest.raises(InvalidConfigError) as caught:
        load_config(written(tmp_path, text))

    places = [(problem.partition(":")[0], problem.rpartition(" ")[2]) for problem in caught.value.problems]
    assert places == [
        ("mode", "2)"),
        ("backtest_config.end_date", "5)"),
        ("session_data_config.streems", "8)"),
        ("session_data_config.indicators[0].interval", "14)"),
    ]
    assert "session.yaml has 4 problems:" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("s.yaml", "a: [1\nb: 2\n", "s.yaml, line 2, column 2: "),
        ("s.yaml", "mode: backtest\nmode: backtest\n", "s.yaml, line 2, column 1: the key 'mode' occurs twice"),
        ("s.yaml", "store: !!python/object:os.system {}", "s.yaml, line 1"),
        ("s.yaml", "a: b\n[1]: c\n", "s.yaml, line 2, column 1: a key must be text"),
        ("s.yaml", "a: &a [*a]\n", "s.yaml, line 1, column "),
        ("s.yaml", "1: a\n", "s.yaml, line 1, column 1: a key must be text"),
        ("s.yaml", "", "holds no config"),
        ("s.yaml", "- a\n", "holds no config"),
        ("s.json", '{"a": 1,\n"b"}', "s.json, line 2, column 4: "),
        ("s.json", '{"mode": 1, "mode": 2}', "the key 'mode' occurs twice"),
        ("s.toml", "a = \n", "s.toml: "),
        ("s.ini", "", "a config is a .yaml, .yml, .json, .toml file, not .ini"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text, name))

    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    written(tmp_path, DESIGN_EXAMPLE)

    with pytest.raises(ConfigError, match=r"sesion\.yaml is not there\. In its folder: session\.yaml\."):
        load_config(tmp_path / "sesion.yaml")


def test_every_key_is_described() -> None:
    schema = SessionConfig.model_json_schema()

    for level in [schema, *schema["$defs"].values()]:
        for name, field in level["properties"].items():
            assert field.get("description"), name


def test_every_key_is_in_the_guide() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "config.md").read_text()
    schema = SessionConfig.model_json_schema()

    missing = [
        name
        for level in [schema, *schema["$defs"].values()]
        for name in level["properties"]
        if f"`{name}`" not in guide
    ]
    assert missing == []


def test_a_good_config_stays_as_it_was_given() -> None:
    given = small()
    before = deepcopy(given)

    load_config(given)

    assert given == before


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.data(), JSON_VALUES)
def test_whatever_stands_in_a_key_the_config_is_good_or_the_problem_is_told(data: st.DataObject, value: Any) -> None:
    config = load_config(
        {
            **small(
                historical={"data": [{"trailing_days": 1, "intervals": ["1m"]}]},
                indicators=[{"name": "sma", "period": 3, "params": {"a": 1}}],
            ),
            "scanners": [{"module": "m:C", "schedule": [{"start": "09:35", "end": "10:00", "every": "5m"}]}],
            "strategies": [{"module": "m:C"}],
        }
    ).resolved()
    place, level = data.draw(st.sampled_from(levels(config)))
    key = data.draw(st.sampled_from(sorted(level)))
    level[key] = value

    told: tuple[str, ...] = ()
    try:
        load_config(config).resolved()
    except InvalidConfigError as error:
        told = error.problems

    top = f"{place}.{key}".lstrip(".").replace("[", ".").split(".")[0]
    assert all(problem.startswith(top) for problem in told)


@given(st.text(st.characters(codec="utf-8")) | st.text(":[]{}-&*!|>'\"\n #%@,a1", max_size=30))
@pytest.mark.parametrize("suffix", ["yaml", "json", "toml"])
def test_whatever_a_file_holds_the_problem_is_told(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    path.write_bytes(text.encode())

    with pytest.raises(ConfigError):
        load_config(path)
