"""An addition comes to pass as a whole or not at all: failing steps, damaged files, requirements gone stale."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from openbell.compat.requirements import ProvisioningRequirements, analyze_requirements
from openbell.config import IndicatorConfig
from openbell.errors import UnknownNameError
from openbell.provisioning import RULES, STEPS, Addition, StepWork
from openbell.testing import advance
from probes import config_of, engine, execute, journal, prepared, steps, strategy_at, visible

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.engine.system import SystemManager

SMA = IndicatorConfig("sma", period=20, interval="5m")


def everything(system: SystemManager) -> dict[str, Any]:
    return {s: visible(system.session_data.get_symbol_data(s)) for s in system.session_data.symbols}


def truncate(store: Path, symbol: str, interval: str) -> Path:
    """Cut a data file in half, as a full disk or a killed copy leaves it."""
    (path,) = (store / "bars" / f"interval={interval}" / f"symbol={symbol}").glob("*.parquet")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def requirement(system: SystemManager, symbol: str, **indicator: Any) -> ProvisioningRequirements:
    operation = "indicator" if indicator else "symbol"
    return analyze_requirements(operation, symbol, "strategy", system.session_data, system.coordinator, **indicator)


@dataclass(frozen=True)
class Burst:
    """A step that fails."""

    name = "burst"

    def carry_out(self, work: StepWork) -> None:
        raise ZeroDivisionError("burst")


class BurstOfFull(Burst):
    """A step that fails when the symbol is full."""

    def carry_out(self, work: StepWork) -> None:
        assert work.draft.meets_session_config_requirements
        raise OSError("burst")


class TestDamagedFile:
    def test_found_by_a_step_it_leaves_the_symbol_as_it_was_and_the_journal_names_step_and_file(
        self, own_store: Path
    ) -> None:
        healthy = prepared(own_store)
        # It reads whole sessions, which is more than its run has.
        req = requirement(healthy, "AIG", indicator_config=IndicatorConfig("vwap", interval="5m"))
        assert req.can_proceed
        damaged = truncate(own_store, "AIG", "1m")
        system = prepared(own_store)
        before = everything(system)

        assert not execute(system, req)

        assert everything(system) == before
        record = system.coordinator.journal.records[-1]
        assert not record.ok
        assert record.steps[-1].name == "register_indicator"
        assert record.errors[0].startswith("register_indicator failed")
        assert str(damaged) in record.errors[0]
        assert "import" in record.errors[0].lower()

    def test_in_mid_upgrade_the_ad_hoc_symbol_is_left_as_it_was(self, own_store: Path) -> None:
        system = prepared(own_store, trailing={"1d": 20}, symbols=["SPY"])
        assert system.session_data.add_indicator_unified("AIG", SMA)
        advance(system, "11:00")
        damaged = truncate(own_store, "AIG", "1d")
        before, version = everything(system), system.session_data.version

        assert not system.coordinator.add_symbol("AIG")

        assert everything(system) == before
        assert system.session_data.version == version
        record = system.coordinator.journal.records[-1]
        assert "load_historical" in record.errors[0]
        assert str(damaged) in record.errors[0]

    def test_a_config_symbol_is_dropped_with_the_file_named_and_the_others_run(self, own_store: Path) -> None:
        damaged = truncate(own_store, "IBM", "1m")
        day = engine(own_store, symbols=["SPY", "IBM", "AIG"]).run()["days"][0]

        assert list(day["symbols"]) == ["SPY", "AIG"]
        assert str(damaged) in day["dropped"]["IBM"][0]

    def test_in_a_batch_only_its_own_symbol_fails(self, own_store: Path) -> None:
        truncate(own_store, "IBM", "1m")
        system = prepared(own_store)
        wanted = ["AIG", "IBM", "BAC"]

        done = system.coordinator.provisioner.provision([Addition("symbol", s, "scanner") for s in wanted])

        assert done == [True, False, True]
        assert system.session_data.symbols == ("SPY", "AIG", "BAC")

    def test_the_plan_tells_it(self, own_store: Path) -> None:
        damaged = truncate(own_store, "IBM", "1m")
        symbols = engine(own_store, symbols=["SPY", "IBM"]).plan()["days"][0]["symbols"]

        assert symbols["SPY"]["can_proceed"]
        assert not symbols["IBM"]["can_proceed"]
        assert str(damaged) in symbols["IBM"]["errors"][0]

    def test_a_running_session_goes_on_without_it(self, own_store: Path) -> None:
        results = []

        def add(context: Any) -> None:
            truncate(own_store, "AIG", "1m")
            results.append(context.add_symbol("AIG"))

        day = engine(own_store, strategies=[strategy_at("10:30", add)]).run()["days"][0]

        assert results == [False]
        assert list(day["symbols"]) == ["SPY"]
        assert day["callbacks"] == 390
        assert not journal(day, "AIG")[0]["ok"]


class TestFailingStep:
    """Any step may fail, those of others included, at any place in the order."""

    @pytest.mark.parametrize("place", range(9))
    def test_nothing_of_a_full_addition_shows(self, minute_store: Path, place: int) -> None:
        system = prepared(minute_store, trailing={"1m": 2}, indicators=[{"name": "sma", "period": 5}])
        req = requirement(system, "AIG")
        names = list(req.provisioning_steps)
        before = everything(system)
        with STEPS.temporarily("burst", Burst):
            req.provisioning_steps.insert(place, "burst")
            assert not execute(system, req)

        assert everything(system) == before
        record = system.coordinator.journal.records[-1]
        assert [s.name for s in record.steps] == [*names[:place], "burst"]
        assert record.errors == ("burst failed: ZeroDivisionError: burst",)
        req.provisioning_steps.remove("burst")
        assert execute(system, req), "once the cause is mended it succeeds"

    def test_nothing_of_an_upgrade_shows(self, minute_store: Path) -> None:
        system = prepared(minute_store, trailing={"1m": 3})
        system.session_data.add_indicator_unified("AIG", SMA)
        advance(system, "12:00")
        before = everything(system)
        req = requirement(system, "AIG")
        with STEPS.temporarily("burst", BurstOfFull):
            req.provisioning_steps.append("burst")
            assert not execute(system, req)

        assert everything(system) == before

    def test_a_step_that_nobody_knows_fails_like_any_other(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        req = requirement(system, "AIG")
        req.provisioning_steps.append("register_indicators")

        assert not execute(system, req)
        assert "Did you mean 'register_indicator'" in system.coordinator.journal.records[-1].errors[0]
        assert system.session_data.symbols == ("SPY",)


class TestRefusal:
    def test_all_rules_report_together(self, minute_store: Path) -> None:
        with RULES.temporarily("never", lambda evidence, context: "never on a Thursday"):
            system = engine(minute_store, symbols=["SPY", "NOPE"])
            errors = requirement(system, "NOPE").validation_errors

        assert len(errors) == 2
        assert "no bars of NOPE" in errors[0]
        assert errors[1] == "never on a Thursday"

    def test_what_is_refused_has_no_steps_in_the_journal_and_changes_nothing(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        before = everything(system)

        assert not system.coordinator.add_symbol("NOPE")
        assert not system.session_data.add_indicator_unified("NOPE", SMA)
        assert not system.session_data.add_bar_unified("AIG", "5s")

        assert everything(system) == before
        for record in system.coordinator.journal.records[-3:]:
            assert (record.ok, record.steps) == (False, ())
            assert record.errors

    def test_a_batch_with_an_unknown_indicator_does_nothing_at_all(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        before, mark = everything(system), len(system.coordinator.journal)
        configs = [SMA, IndicatorConfig("smma", period=5)]

        with pytest.raises(UnknownNameError, match="smma"):
            system.coordinator.provisioner.provision(
                [Addition("indicator", "AIG", "scanner", details={"indicator_config": c}) for c in configs]
            )

        assert everything(system) == before
        (refused,) = system.coordinator.journal.since(mark)
        assert not refused.ok
        assert "smma" in refused.errors[0]


class TestStaleRequirements:
    """Between analysis and execution the session may have moved on; what is there is kept."""

    def test_of_an_indicator_it_does_not_undo_the_full_symbol_that_came_meanwhile(self, minute_store: Path) -> None:
        system = prepared(minute_store, trailing={"1m": 3, "5m": 3}, indicators=[{"name": "rsi", "interval": "5m"}])
        req = requirement(system, "AIG", indicator_config=SMA)
        assert system.coordinator.add_symbol("AIG")
        before = visible(system.session_data.get_symbol_data("AIG"))

        assert execute(system, req)

        after = visible(system.session_data.get_symbol_data("AIG"))
        assert "sma_20_5m" in after["indicators"]
        for name in ("metadata", "base_interval", "bars"):
            assert after[name] == before[name]
        assert after["indicators"]["rsi_14_5m"] == before["indicators"]["rsi_14_5m"]
        data = system.session_data.get_symbol_data("AIG")
        assert data is not None
        assert all(i.series is data.bars[i.series.interval] for i in data.indicators.values())

    def test_of_a_symbol_it_upgrades_the_ad_hoc_one_that_came_meanwhile(self, minute_store: Path) -> None:
        system = prepared(minute_store, trailing={"1m": 3})
        req = requirement(system, "AIG")
        assert system.session_data.add_indicator_unified("AIG", SMA)

        assert execute(system, req)

        data = system.session_data.get_symbol_data("AIG")
        assert data is not None
        assert data.meets_session_config_requirements
        assert data.upgraded_from_adhoc
        assert data.added_by == "scanner"
        assert "sma_20_5m" in data.indicators
        assert all(series.is_scored for series in data.bars.values())

    def test_carried_out_twice_it_is_there_once(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        req = requirement(system, "AIG")
        assert execute(system, req)
        once = everything(system)

        assert execute(system, req)
        assert everything(system) == once


class TestAnalysisIsPure:
    def test_asking_changes_nothing_and_asking_twice_gives_the_same(self, minute_store: Path) -> None:
        system = prepared(minute_store, trailing={"1m": 3, "1d": 10}, indicators=[{"name": "rsi", "interval": "15m"}])
        before, version, mark = everything(system), system.session_data.version, len(system.coordinator.journal)

        def ask() -> list[ProvisioningRequirements]:
            asked = [requirement(system, s) for s in ("SPY", "AIG", "NOPE")]
            asked.append(requirement(system, "AIG", indicator_config=SMA))
            return asked

        assert ask() == ask()
        assert everything(system) == before
        assert (system.session_data.version, len(system.coordinator.journal)) == (version, mark)

    def test_the_plan_is_what_the_run_then_does(self, minute_store: Path) -> None:
        keys: dict[str, Any] = {
            "symbols": ["SPY", "IBM", "BADTICKER"],
            "trailing": {"1m": 2, "1d": 20},
            "indicators": [{"name": "rsi", "interval": "15m"}, {"name": "prior_day", "interval": "5m"}],
        }
        planned = engine(minute_store, **keys).plan()["days"][0]["symbols"]
        day = engine(minute_store, **keys).run()["days"][0]

        for symbol in ("SPY", "IBM"):
            got = day["symbols"][symbol]
            assert steps(journal(day, symbol)[0]) == planned[symbol]["steps"]
            assert list(got["bars"]) == planned[symbol]["required_intervals"]
            assert got["base_interval"] == planned[symbol]["base_interval"]
            assert list(got["indicators"]) == planned[symbol]["indicators"]
            read = sum(s["historical_rows"] + s["session_rows"] for s in got["bars"].values() if not s["derived"])
            assert planned[symbol]["rows"] == read
            for interval, told in planned[symbol]["historical"].items():
                assert got["bars"][interval]["historical_rows"] >= told["bars"]
        assert list(day["dropped"]["BADTICKER"]) == planned["BADTICKER"]["errors"]

    def test_every_need_has_its_reason(self, minute_store: Path) -> None:
        system = prepared(minute_store)
        req = requirement(system, "BAC", indicator_config=SMA)
        why = {(edge.need, edge.because) for edge in req.needs.reasons}

        assert ("sma_20_5m", "a strategy asked for it") in why
        assert any(need == "5m" and because.startswith("sma_20_5m reads it") for need, because in why)
        assert ("1m", "5m derives from it") in why
        assert {need for need, _ in why} == {"sma_20_5m", "5m", "1m"}

    def test_per_interval_the_deepest_entry_wins_and_apply_to_is_honoured(self, minute_store: Path) -> None:
        config = config_of(symbols=["SPY", "IBM"])
        config["session_data_config"]["historical"]["data"] = [
            {"trailing_days": 1, "intervals": ["1m", "5m"]},
            {"trailing_days": 3, "intervals": ["5m"], "apply_to": ["IBM"]},
            {"trailing_days": 2, "intervals": ["5m", "1d"], "apply_to": "all"},
        ]
        data = config["session_data_config"]
        system = prepared(minute_store, symbols=["SPY", "IBM"], historical=data["historical"])
        depth = {
            symbol: {name: len(series.history) for name, series in found.bars.items()}
            for symbol, found in system.session_data.current.items()
        }

        assert depth["SPY"]["5m"] == 2 * 78
        assert depth["IBM"]["5m"] == 3 * 78
        assert depth["SPY"]["1d"] == depth["IBM"]["1d"] == 2

    def test_requirements_are_plain_and_the_plan_is_json(self, minute_store: Path) -> None:
        plan = engine(minute_store, trailing={"1d": 5}).plan()
        assert json.loads(json.dumps(plan.to_dict())) == plan


class TestGoneSinceAnalysis:
    @pytest.mark.parametrize("details", [{}, {"indicator_config": SMA}])
    def test_a_requirement_of_a_symbol_that_was_removed_publishes_nothing(
        self, minute_store: Path, details: dict[str, Any]
    ) -> None:
        system = prepared(minute_store)
        coordinator = system.coordinator
        assert coordinator.add_symbol("AIG")
        assert not details or coordinator.provisioner.add_indicator("AIG", SMA, source="strategy")
        req = requirement(system, "AIG", **details)
        assert req.provisioning_steps == []
        assert coordinator.remove_symbol("AIG")

        assert not execute(system, req)

        assert system.session_data.get_symbol_data("AIG") is None
        assert coordinator.journal.records[-1].errors == ("AIG changed since this was analysed; analyse it again",)

    def test_a_requirement_of_a_full_symbol_that_is_ad_hoc_by_now_makes_it_no_half_one(
        self, minute_store: Path
    ) -> None:
        system = prepared(minute_store)
        coordinator = system.coordinator
        assert coordinator.add_symbol("AIG")
        assert system.session_data.add_bar_unified("AIG", "5m", source="scanner")
        req = requirement(system, "AIG")
        assert coordinator.remove_symbol("AIG")
        before = everything(system)

        assert not execute(system, req)

        assert everything(system) == before
        assert coordinator.journal.records[-1].errors == ("AIG changed since this was analysed; analyse it again",)
