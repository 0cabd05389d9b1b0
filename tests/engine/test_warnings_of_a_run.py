"""What a run cannot deliver, or meets on its way, is a warning: as it happens and in the result."""

from __future__ import annotations

import json
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from made_actions import actions
from made_bars import made_store
from openbell import SessionObserver, SystemManager
from openbell.actions.store import ActionStore
from openbell.cli.app import app
from openbell.config import load_config
from openbell.errors import ConfigError, ProvisioningError
from openbell.store.removal import remove_bars
from openbell.store.store import BarStore
from openbell.testing import bar_starts, make_store, probe_strategy, random_bars
from probes import config_of, engine, local_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAYS = ("2024-07-08", "2024-07-11")  # Monday to Thursday
EMPTY = 19_913  # 2024-07-09


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A, and GAP without a bar on 2024-07-09."""
    folder = tmp_path_factory.mktemp("runs") / "store"
    return made_store(
        folder, ["A", "B", "GAP"], "2024-06-03", "2024-07-12",
        keep=lambda symbol, interval, ns: symbol != "GAP" or ns // 86_400_000_000_000 != EMPTY,
    )  # fmt: skip


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "store")


class Heard(SessionObserver):
    """The warnings, with the number of callbacks that came before."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, warning: str) -> None:
        self.warnings.append(warning)


def run(store: Path, **keys: Any) -> tuple[Any, list[str]]:
    heard = Heard()
    system = SystemManager(load_config(config_of(**keys)), store=store, observer=heard)
    return system.run(), heard.warnings


class TestSubscriptionsThatCannotDeliver:
    @pytest.mark.parametrize(("interval", "last", "closes"), [("1w", DAYS[1], "2024-07-12"), ("5d", DAYS[1], None)])
    def test_it_is_said_before_the_first_bar(self, made: Path, interval: str, last: str, closes: str | None) -> None:
        got: list[str] = []
        heard = Heard()
        before: list[int] = []

        def on_bar(self: Any, bar: Any) -> None:
            before.append(len(heard.warnings))
            got.append(bar.interval)

        strategy = probe_strategy(subscriptions=[("A", interval), ("B", interval), ("A", "60m")], on_bar=on_bar)
        config = load_config(config_of(symbols=["A"], days=(DAYS[0], last), strategies=[strategy]))
        result = SystemManager(config, store=made, observer=heard).run()

        (warning,) = result.warnings
        assert warning.startswith(
            f"strategy ProbeStrategy subscribes to {interval} bars of A and B, and no {interval} bar"
        )
        assert "closes from 2024-07-08 to 2024-07-11; the running one closes on " + (closes or "") in warning
        assert heard.warnings == [warning]
        assert set(before) == {1}
        assert set(got) == {"60m"}

    @pytest.mark.parametrize("subscriptions", [[("A", "1w")], lambda self: [(s, "1w") for s in self.context.symbols]])
    def test_a_plan_says_it_too(self, made: Path, subscriptions: Any) -> None:
        strategy = probe_strategy(subscriptions=subscriptions, on_bar=lambda self, bar: None)
        system = SystemManager(load_config(config_of(symbols=["A"], days=DAYS, strategies=[strategy])), store=made)
        (warning,) = system.plan().warnings
        assert warning == system.run().warnings[0]

    @pytest.mark.parametrize(
        ("subscriptions", "warned"),
        [
            ('[("A", "1w")]', True),
            ('[(symbol, self.config["bars"]) for symbol in self.context.symbols]', True),
            ("self.pairs", False),  # which setup makes
            ("exit(3)", False),
            ('print("asked") or [("A", "1w")]', True),
        ],
    )
    def test_check_says_what_can_be_said_without_a_session(
        self, made: Path, tmp_path: Path, subscriptions: str, warned: bool
    ) -> None:
        (tmp_path / "mine.py").write_text(
            "from openbell import Strategy\n"
            "class Weekly(Strategy):\n"
            f"    def subscriptions(self): return {subscriptions}\n"
            "    def on_bar(self, bar): pass\n"
        )
        weekly = {"module": "mine.py:Weekly", "config": {"bars": "1w"}}
        config = config_of(symbols=["A"], streams=["1m", "5d"], days=DAYS, strategies=[weekly])
        (tmp_path / "session.json").write_text(json.dumps(config | {"store": str(made)}))
        found = json.loads(CliRunner().invoke(app, ["check", "--json", str(tmp_path / "session.json")]).stdout)

        stream, *others = found["warnings"]
        assert stream.startswith("session_data_config.streams names 5d, and no 5d bar closes from 2024-07-08")
        assert [w.partition(", and")[0] for w in others] == ["strategy Weekly subscribes to 1w bars of A"] * warned

    def test_one_that_closes_is_none(self, made: Path) -> None:
        strategy = probe_strategy(subscriptions=[("A", "1w"), ("A", "1d")], on_bar=lambda self, bar: None)
        result, heard = run(made, symbols=["A"], days=(DAYS[0], "2024-07-12"), strategies=[strategy])
        assert (result.warnings, heard) == ((), [])

    def test_nor_is_one_that_has_had_its_bar(self, made: Path) -> None:
        """From Thursday to Monday: the week closes on Friday, that of Monday does not close."""
        strategy = probe_strategy(subscriptions=[("A", "1w")], on_bar=lambda self, bar: None)
        assert run(made, symbols=["A"], days=("2024-06-27", "2024-07-01"), strategies=[strategy])[1] == []

    def test_one_that_begins_too_late_is_one(self, made: Path) -> None:
        late = probe_strategy(
            subscriptions=lambda self: [("A", "1m")] + [("A", "1w")] * (self.context.session_date.day == 1),
            on_bar=lambda self, bar: None,
        )
        (warning,) = run(made, symbols=["A"], days=("2024-06-27", "2024-07-01"), strategies=[late])[1]
        assert "no 1w bar closes from 2024-07-01 to 2024-07-01; the running one closes on 2024-07-05" in warning


class TestEmptyDays:
    def test_by_default_a_day_without_bars_is_run_with_a_warning(self, made: Path) -> None:
        result, heard = run(made, symbols=["GAP"], days=DAYS)
        assert [day.bars_streamed for day in result.days] == [390, 0, 390, 390]
        assert "no symbol had a bar on 2024-07-09" in heard
        assert "no symbol had a bar on 2024-07-09" in result.warnings

    def test_stop_ends_the_run_there(self, made: Path) -> None:
        system = engine(made, symbols=["GAP"], days=DAYS, on_empty_day="stop")
        with pytest.raises(ProvisioningError, match=r"no symbol had a bar on 2024-07-09.*on_empty_day is stop"):
            system.run()
        result = system.summary()
        assert [day.bars_streamed for day in result.days] == [390, 0]
        assert result.error is not None
        assert "on_empty_day" in result.error

    def test_skip_goes_on(self, made: Path) -> None:
        result, _ = run(made, symbols=["GAP"], days=DAYS, on_empty_day="skip")
        assert [day.bars_streamed for day in result.days] == [390, 0, 390, 390]

    @pytest.mark.parametrize("policy", [None, "stop"])
    def test_a_day_for_which_nothing_can_be_provisioned_ends_the_run(self, made: Path, policy: str | None) -> None:
        keys = {"min_quality": 99.0, "trailing": {"1m": 1}} | ({"on_empty_day": policy} if policy else {})
        system = engine(made, symbols=["GAP"], days=("2024-07-10", DAYS[1]), **keys)
        with pytest.raises(ProvisioningError, match="the only symbol could not be provisioned for 2024-07-10"):
            system.run()
        assert system.summary().days == ()

    def test_unless_it_is_to_be_skipped(self, made: Path) -> None:
        setups: list[date] = []
        strategy = probe_strategy(setup=lambda self: setups.append(self.context.session_date))
        keys = {"min_quality": 99.0, "trailing": {"1m": 1}, "on_empty_day": "skip", "strategies": [strategy]}
        result, heard = run(made, symbols=["GAP"], days=DAYS, **keys)

        assert [(str(d.date), d.bars_streamed) for d in result.days] == [
            ("2024-07-08", 390), ("2024-07-09", 0), ("2024-07-10", 0), ("2024-07-11", 390),
        ]  # fmt: skip
        assert [str(day) for day in setups] == ["2024-07-08", "2024-07-09", "2024-07-11"]
        skipped = result.days[2]
        assert skipped.symbols == {}
        assert "min_quality is 99" in skipped.dropped["GAP"][0]
        (warning,) = [text for text in heard if "2024-07-10 is skipped" in text]
        assert "the only symbol could not be provisioned for 2024-07-10" in warning
        assert warning in result.warnings

    def test_days_before_the_history_is_long_enough_are_skipped(self, made: Path) -> None:
        average = {"name": "sma", "period": 26, "interval": "1d"}
        result, _ = run(made, symbols=["A"], days=DAYS, indicators=[average], on_empty_day="skip")
        assert [day.bars_streamed for day in result.days] == [0, 0, 0, 391]  # the daily bar, too

    def test_a_run_of_which_every_day_is_skipped_is_none(self, made: Path) -> None:
        average = {"name": "sma", "period": 500, "interval": "1d"}
        with pytest.raises(ProvisioningError, match=r"on any of the 4 sessions.*2024-07-08 to 2024-07-11"):
            run(made, symbols=["A"], days=DAYS, indicators=[average], on_empty_day="skip")

    def test_other_words_are_refused(self, made: Path) -> None:
        with pytest.raises(ConfigError, match=r"on_empty_day"):
            engine(made, on_empty_day="ignore")


class TestAStoreThatIsRevised:
    def changed_at_noon(self, store: Path, change: Callable[[], object], **keys: Any) -> tuple[Any, list[str]]:
        def on_bar(self: Any, bar: Any) -> None:
            if (str(self.context.session_date), local_time(self.context)) == ("2024-07-09", "12:00"):
                change()

        strategy = probe_strategy(subscriptions=[("A", "1m")], on_bar=on_bar)
        return run(store, **{"symbols": ["A"], "days": DAYS, "strategies": [strategy], **keys})

    def revise(self, store: Path, symbol: str, interval: str = "1m", day: str = "2024-07-10") -> None:
        make_store(store, {symbol: {interval: random_bars(bar_starts(day, day, interval), seed=99)}})

    def test_the_run_says_so(self, store: Path) -> None:
        result, heard = self.changed_at_noon(store, lambda: self.revise(store, "A"))
        (warning,) = result.warnings
        assert warning.startswith("the store was changed while 2024-07-09 was run: 1m bars of A.")
        assert "What is added later, and later sessions, are of the new state." in warning
        assert heard == [warning]

    def test_what_the_run_does_not_read_is_not_its_business(self, store: Path) -> None:
        def others() -> None:
            self.revise(store, "B")
            made_store(store, ["NEW"], *DAYS)

        assert self.changed_at_noon(store, others)[1] == []

    def test_a_symbol_of_an_earlier_day_counts_also_when_the_day_of_the_change_did_not_have_it(
        self, store: Path
    ) -> None:
        def setup(self: Any) -> None:
            if str(self.context.session_date) != "2024-07-09":
                self.context.add_symbol("B")

        def on_bar(self: Any, bar: Any) -> None:
            if (str(self.context.session_date), local_time(self.context)) == ("2024-07-09", "12:00"):
                revise("B")

        def revise(symbol: str) -> None:
            self.revise(store, symbol)

        strategy = probe_strategy(subscriptions=[("A", "1m")], setup=setup, on_bar=on_bar)
        (warning,) = run(store, symbols=["A"], days=DAYS, strategies=[strategy])[1]
        assert warning.startswith("the store was changed while 2024-07-09 was run: 1m bars of B.")

    def test_removed_bars_and_actions_are_named(self, store: Path) -> None:
        def change() -> None:
            remove_bars(BarStore.open(store), [("A", "1d")])
            ActionStore(store).write(actions(("A", date(2024, 6, 28), "split", 0.5)))

        (warning,) = self.changed_at_noon(store, change)[0].warnings[:1]
        assert "1d bars of A, corporate actions" in warning

    def test_each_change_is_said_once(self, store: Path) -> None:
        revise = self.revise
        calls = iter(range(9))

        def on_bar(self: Any, bar: Any) -> None:
            if local_time(self.context) == "12:00" and next(calls) in (0, 2):
                revise(store, "A", day=f"{self.context.session_date}")

        strategy = probe_strategy(subscriptions=[("A", "1m")], on_bar=on_bar)
        _, heard = run(store, symbols=["A"], days=DAYS, strategies=[strategy])
        assert [text.partition(" was run")[0][-10:] for text in heard] == ["2024-07-08", "2024-07-10"]
