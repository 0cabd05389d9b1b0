"""Needs that strategies and scanners declare: shown by check and plan, there before setup, and gone when they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from made_bars import made_store
from openbell import IndicatorConfig, Requirement
from openbell.cli.app import app
from openbell.config import load_config
from openbell.engine.config_summary import summarise_config
from openbell.engine.preflight import check_config
from openbell.errors import ComponentError, ConfigError, DataError
from openbell.testing import probe_scanner, probe_strategy
from probes import config_of, engine, journal, local_time

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2024-07-10"
SMA = IndicatorConfig("sma", period=20, interval="1d")
LONG = IndicatorConfig("sma", period=200, interval="1d")
MINUTES = IndicatorConfig("ema", period=300, interval="15m")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("required") / "store"
    return made_store(folder, ["A", "B", "C"], "2024-05-01", "2024-07-12")


def of_all(*needs: Any) -> Any:
    return lambda self: [Requirement(symbol, need) for symbol in self.context.symbols for need in needs]


def of_universe(self: Any) -> list[Requirement]:
    return [Requirement(symbol, SMA) for symbol in self.context.universe]


def test_what_is_declared_is_there_before_setup(store: Path) -> None:
    seen = {}

    def setup(self: Any) -> None:
        seen["sma"] = self.context.indicator("A", "sma_20_1d").settled
        seen["days"] = len(self.context.bars("A", "5m").last(sessions=3))

    requirements = lambda self: [Requirement("A", SMA), Requirement("A", "5m", days=3), Requirement("B", "1h", bars=30)]  # noqa: E731
    system = engine(store, days=DAY, symbols=["A"], strategies=[probe_strategy(requirements=requirements, setup=setup)])
    day = system.run().days[0]

    assert seen == {"sma": True, "days": 3 * 78}
    assert len(system.session_data.get_bars("B", "60m").last(bars=37)) == 37
    assert [(r.symbol, r.owner, r.ok) for r in day.provisioning if r.operation_type == "requirement"] == [
        ("A", "strategy ProbeStrategy", True),
        ("B", "strategy ProbeStrategy", True),
    ]
    assert day.symbols["B"].reason == "60m: a strategy asked for it"
    assert "strategy ProbeStrategy (requirement)" in system.session_data.get_symbol_data("A").owners["sma_20_1d"]


def test_the_plan_gives_what_the_run_loads(store: Path) -> None:
    """The case of the report: history 0, while the strategy needs 200 days."""
    keys = {
        "days": (DAY, "2024-07-11"), "symbols": ["A", "B"],
        "strategies": [probe_strategy(requirements=of_all(MINUTES, SMA))],
        "scanners": [probe_scanner("10:00", requirements=of_universe, universe=["B", "C", "NOPE"])],
    }  # fmt: skip
    plan, system = engine(store, **keys).plan(), engine(store, **keys)
    loaded = {}

    for day in plan.days:
        system.coordinator.run_day(day.date)
        loaded[day.date] = system.session_data
    for day in plan.days:
        data = loaded[day.date]
        for name in ("A", "B"):
            for interval, history in day.symbols[name].historical.items():
                assert history.bars == len(data.get_bars(name, interval).history), (name, interval)
        for required in day.requirements:
            if required.plan.can_proceed:
                for interval, history in required.plan.historical.items():
                    assert history.bars == len(data.get_bars(required.symbol, interval).history), required
        assert day.symbols["A"].historical["1m"].bars > 900 * 15
        found = [(r.owner, r.symbol, r.needs, r.plan.can_proceed) for r in day.requirements]
        assert found == [
            ("scanner ProbeScanner", "B", ("sma_20_1d",), True),
            ("scanner ProbeScanner", "C", ("sma_20_1d",), True),
            ("scanner ProbeScanner", "NOPE", ("sma_20_1d",), False),
            ("strategy ProbeStrategy", "A", ("ema_300_15m", "sma_20_1d"), True),
            ("strategy ProbeStrategy", "B", ("ema_300_15m", "sma_20_1d"), True),
        ]


def test_the_plan_says_why_it_cannot_be_had(store: Path) -> None:
    plan = engine(store, days=DAY, symbols=["A"], strategies=[probe_strategy(requirements=of_all(LONG))]).plan()
    (required,) = plan.days[0].requirements

    assert plan.days[0].symbols["A"].can_proceed
    assert not required.plan.can_proceed
    assert "A sma_200_1d needs 200 bars of 1d, has 47" in required.plan.errors[0]
    assert plan.to_dict()["days"][0]["requirements"][0]["errors"] == list(required.plan.errors)


def test_what_cannot_be_had_is_refused_as_any_addition_is(store: Path) -> None:
    errors = []

    def setup(self: Any) -> None:
        with pytest.raises(DataError) as error:
            self.context.indicator("A", "sma_200_1d")
        errors.append(str(error.value))

    watcher = probe_strategy(requirements=of_all(LONG), setup=setup)
    day = engine(store, days=DAY, symbols=["A"], strategies=[watcher]).run()["days"][0]
    (record,) = [r for r in journal(day, "A") if r["operation_type"] == "requirement"]
    assert not record["ok"]
    assert "strategy ProbeStrategy asked for it at 09:30:00 and was refused: A sma_200_1d needs 200 bars" in errors[0]


def test_symbols_that_come_get_it_before_they_are_told_of_and_give_it_up_when_they_go(store: Path) -> None:
    told = []

    def scan(self: Any) -> None:
        if local_time(self.context) == "10:00":
            self.context.add_symbol("C")
        else:
            self.context.remove_symbol("C")

    strategy = probe_strategy(
        requirements=of_all(SMA, "15m"),
        on_symbol_added=lambda self, symbol: told.append(self.context.indicator(symbol, "sma_20_1d").valid),
    )
    scanner = probe_scanner("10:00", "11:00", scan=scan)
    system = engine(store, days=DAY, symbols=["A"], strategies=[strategy], scanners=[scanner])
    day = system.run()["days"][0]

    assert told == [True]
    assert system.session_data.symbols == ("A",)
    assert list(system.session_data.get_symbol_data("A").bars) == ["1m", "5m", "15m", "1d"]
    ended = [r["reason"] for r in journal(day, "C") if r["operation_type"] == "remove"]
    assert ended[-1] == "strategy ProbeStrategy no longer subscribes to it or requires it"


def test_a_requirement_outlives_the_subscription_to_the_same_bars(store: Path) -> None:
    def subscriptions(self: Any) -> list[tuple[str, str]]:
        return [("A", "1m")] + ([] if self.context.now.hour >= 11 else [("B", "15m"), ("C", "15m")])

    def on_bar(self: Any, bar: Any) -> None:
        if local_time(self.context) == "11:00":
            self.context.add_bar("A", "30m")  # whoever adds something has subscriptions asked anew

    strategy = probe_strategy(
        subscriptions=subscriptions,
        on_bar=on_bar,
        requirements=lambda self: [Requirement("B", SMA), Requirement("B", "15m")],
    )
    system = engine(store, days=DAY, symbols=["A"], strategies=[strategy])
    system.run()
    assert system.session_data.symbols == ("A", "B")
    assert list(system.session_data.get_symbol_data("B").bars) == ["1m", "15m", "1d"]


def test_check_shows_what_is_declared(store: Path) -> None:
    scanner = probe_scanner(
        "10:00",
        universe=["B", "C"],
        requirements=lambda self: [Requirement(s, "5m", days=2) for s in self.context.universe],
    )
    config = load_config(
        config_of(symbols=["A"], days=DAY, strategies=[probe_strategy(requirements=of_all(SMA))], scanners=[scanner])
    )

    assert check_config(config) == []
    assert [(d.owner, d.requirement) for d in summarise_config(config).requirements] == [
        ("scanner ProbeScanner", Requirement("B", "5m", days=2)),
        ("scanner ProbeScanner", Requirement("C", "5m", days=2)),
        ("strategy ProbeStrategy", Requirement("A", SMA)),
    ]


@pytest.mark.parametrize(
    ("requirements", "text"),
    [
        (lambda _: [Requirement("A", IndicatorConfig("smaa", period=3))], r"smaa.*Did you mean.*sma"),
        (lambda _: [Requirement("A", IndicatorConfig("vwap", interval="1d"))], "vwap"),
        (lambda _: [Requirement("A", "5x")], "5x"),
        (lambda _: [Requirement("A", SMA, days=3)], "an indicator brings its own history"),
        (lambda _: [Requirement("", SMA)], "a symbol is a text"),
        (lambda _: [Requirement("A", "5m", days=-1)], "days must be 0 or more"),
        (lambda _: [Requirement("A", "5m", bars=1.5)], r"bars=1\.5; bars is a whole number"),
        (lambda _: [("A", "5m")], r"requirements must return Requirements.* not \('A', '5m'\)"),
        (lambda _: SMA, "requirements must return Requirements"),
        (lambda _: None, "requirements must return Requirements"),
        (lambda self: [self.context.bars("A", "1m")], "context.bars is not there yet"),
        (lambda _: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_declared_is_a_problem_of_the_config(store: Path, requirements: Any, text: str) -> None:
    for keys in (
        {"strategies": [probe_strategy(requirements=requirements)]},
        {"scanners": [probe_scanner("10:00", requirements=requirements)]},
    ):
        (kind,) = keys
        config = load_config(config_of(symbols=["A"], days=DAY, **keys))
        (problem,) = check_config(config)
        assert problem.place == (kind, 0, "module")
        with pytest.raises(ConfigError, match=text) as error:
            engine(store, days=DAY, symbols=["A"], **keys)
        assert f"{kind[:-1] if kind == 'scanners' else 'strategy'} Probe" in str(error.value)


def test_what_goes_wrong_in_mid_session_ends_the_run_with_its_method(store: Path) -> None:
    def requirements(self: Any) -> list[Requirement]:
        return [Requirement(s, SMA) for s in self.context.symbols if s != "C" or 1 / 0]

    scanner = probe_scanner("10:00", scan=lambda self: self.context.add_symbol("C") and [])
    system = engine(
        store, days=DAY, symbols=["A"], strategies=[probe_strategy(requirements=requirements)], scanners=[scanner]
    )
    with pytest.raises(
        ComponentError, match=r"strategy ProbeStrategy\.requirements raised ZeroDivisionError at 2024-07-10T10:00"
    ):
        system.run()


def test_the_command_line_shows_them(store: Path, tmp_path: Path) -> None:
    (tmp_path / "trend.py").write_text(
        "from openbell import IndicatorConfig, Requirement, Strategy\n"
        "class Trend(Strategy):\n"
        "    def requirements(self):\n"
        "        for symbol in self.context.symbols:\n"
        "            yield Requirement(symbol, IndicatorConfig('sma', period=self.config['days'], interval='1d'))\n"
        "            yield Requirement(symbol, '5m', days=3)\n"
        "    def subscriptions(self):\n"
        "        return [('A', '5m')]\n"
        "    def on_bar(self, bar):\n"
        "        pass\n"
    )
    config = tmp_path / "c.json"
    strategies = [
        {"module": "trend.py:Trend", "config": {"days": 20}},
        {"module": "trend.py:Trend", "config": {"days": 99}},
    ]
    config.write_text(
        json.dumps(config_of(symbols=["A", "B"], days=DAY, strategies=strategies) | {"store": str(store)})
    )
    texts = {}
    for command in ("check", "plan", "run"):
        out = ["--out", str(tmp_path / "r")] if command == "run" else []
        done = CliRunner().invoke(app, [command, str(config), *out])
        assert done.exit_code == 0, done.output
        texts[command] = " ".join(done.output.split())

    assert "requirements strategy Trend: sma_20_1d, 5m (3 sessions) of A B" in texts["check"]
    assert "strategy Trend-2: sma_99_1d, 5m (3 sessions) of A B" in texts["check"]
    assert "cannot load A (strategy Trend-2): A sma_99_1d needs 99 bars of 1d, has 47" in texts["plan"]
    assert "1m 1,170 5m 234" in texts["plan"]
    assert "A sma_99_1d needs 99 bars of 1d, has 47" in texts["run"]
