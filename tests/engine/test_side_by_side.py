"""Days that run side by side leave what they leave one after another, to the byte; days that depend are refused."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from openbell import RunFolder, SessionObserver, SystemManager, load_config
from openbell.cli.app import app
from openbell.errors import ComponentError, ConfigError
from probes import CLOSES

if TYPE_CHECKING:
    from pathlib import Path

    from openbell import RunResult, SignalEvent

EXAMPLE = "openbell.examples"
REMEMBERS = """
from openbell import Strategy

class Remembers(Strategy):
    def subscriptions(self):
        return [("ALFA", "60m")]

    def on_bar(self, bar):
        if self.context.session_date.isoformat() == self.config["on"]:
            self.state["close"] = bar.close
"""


@pytest.fixture(scope="module")
def folder(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = shutil.copytree(demo_master, tmp_path_factory.mktemp("days") / "demo")
    (path / "closes.py").write_text(CLOSES)
    (path / "remembers.py").write_text(REMEMBERS)
    return path


def config_of(folder: Path, name: str = "config", **more: Any) -> Path:
    config = {
        "store": "store",
        "backtest_config": {"start_date": "2024-06-24", "end_date": "2024-07-05"},
        "session_data_config": {
            "symbols": ["ALFA", "BRVO", "BADTICKER"],
            "streams": ["1m", "5m", "60m"],
            "indicators": [{"name": "rsi", "period": 14, "interval": "5m"}],
            "on_shortfall": "warm",
        },
        "scanners": [{
            "module": f"{EXAMPLE}.gap:Gap", "universe": "universe.txt", "config": {"min_percent": 0.5, "most": 3},
            "schedule": [{"start": "09:35", "end": "09:35", "every": "5m"}],
        }],
        "strategies": [
            {"module": f"{EXAMPLE}.ema_cross:EmaCross", "config": {"fast": 5, "slow": 12, "intervall": "5m"}},
            {"module": "closes.py:Closes", "config": {"long": 20}},
        ],
        **more,
    }  # fmt: skip
    path = folder / f"{name}.json"
    path.write_text(json.dumps(config))
    return path


def but_for_timing(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".json", ".jsonl"):
            lines = [file.read_text()] if file.suffix == ".json" else file.read_text().splitlines()
            found[file.name] = [json.dumps(_without_timing(json.loads(line))) for line in lines]
        elif file.is_file():
            found[file.name] = file.read_bytes()
    return found


def _without_timing(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_timing(v) for k, v in value.items() if k not in ("timing", "ms")}
    return [_without_timing(item) for item in value] if isinstance(value, list) else value


class Watching(SessionObserver):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def warned(self, warning: str) -> None:
        self.heard.append(warning)

    def signalled(self, signal: SignalEvent) -> None:
        self.heard.append((signal.time_ns, signal.symbol, signal.action))

    def day_ended(self, result: Any, session_data: Any) -> None:
        self.heard.append((result.date, session_data.session_date))


def run(config: Path, into: Path, jobs: int) -> tuple[RunResult, list[object]]:
    session, watching = load_config(config), Watching()
    result = SystemManager(session, observer=watching).run(RunFolder(into, session), jobs=jobs)
    return result, watching.heard


@pytest.mark.long
def test_they_leave_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    config = config_of(folder)
    one, heard_of_one = run(config, tmp_path / "one", 1)
    many, heard_of_many = run(config, tmp_path / "many", 3)  # of nine days; two processes play them below

    assert but_for_timing(tmp_path / "many") == but_for_timing(tmp_path / "one")
    assert heard_of_many == heard_of_one
    assert many.warnings == one.warnings
    assert any("never read the key 'intervall'" in warning for warning in one.warnings)
    assert len(one.days) == 9
    assert sum(len(day.signals) for day in one.days) > 9


@pytest.mark.long
def test_a_day_that_raises_ends_the_run_as_it_would_alone(folder: Path, tmp_path: Path) -> None:
    strategies = [{"module": "closes.py:Closes", "config": {"fails_on": "2024-07-02"}}]
    config = config_of(folder, "fails", strategies=strategies)
    for name, jobs in (("one", 1), ("many", 2)):
        with pytest.raises(ComponentError, match="as told") as error:
            run(config, tmp_path / name, jobs)
        assert isinstance(error.value.__cause__, RuntimeError)

    assert but_for_timing(tmp_path / "many") == but_for_timing(tmp_path / "one")


@pytest.mark.long
def test_a_day_without_bars_is_told_as_alone(folder: Path, tmp_path: Path) -> None:
    config = config_of(folder, "empty", backtest_config={"start_date": "2024-07-03", "end_date": "2024-07-10"})
    one, heard_of_one = run(config, tmp_path / "one", 1)
    many, heard_of_many = run(config, tmp_path / "many", 2)

    assert many.warnings == one.warnings
    assert heard_of_many == heard_of_one
    assert but_for_timing(tmp_path / "many") == but_for_timing(tmp_path / "one")


@pytest.mark.long
@pytest.mark.parametrize("day", ["2024-07-01", "2024-07-05"])
def test_a_strategy_that_keeps_state_is_refused(folder: Path, tmp_path: Path, day: str) -> None:
    config = config_of(folder, "keeps", strategies=[{"module": "remembers.py:Remembers", "config": {"on": day}}])

    with pytest.raises(ConfigError, match=f"strategy Remembers keeps state, which it wrote in the session of {day}"):
        run(config, tmp_path / "run", 2)

    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert "keeps state" in summary["error"]


def test_a_config_that_trades_is_refused_and_leaves_no_folder(folder: Path, tmp_path: Path) -> None:
    config = config_of(folder, "trades", execution={})

    done = CliRunner().invoke(app, ["run", str(config), "--jobs", "2", "--out", str(tmp_path / "run")])

    assert done.exit_code == 2
    assert "sessions cannot run side by side: the config trades (execution)" in done.stderr
    assert not (tmp_path / "run").exists()


def test_kept_bars_and_observers_of_bars_are_refused(folder: Path) -> None:
    class OfBars(SessionObserver):
        def bar_closed(self, bar: object) -> None:
            """Take it."""

    session = load_config(config_of(folder))
    kept = CliRunner().invoke(app, ["run", str(config_of(folder)), "--jobs", "2", "--indicators"])
    assert "bars and indicators of sessions are kept (--bars, --indicators)" in kept.stderr
    with pytest.raises(ConfigError, match="an observer receives bars"):
        SystemManager(session, observer=OfBars()).run(jobs=2)


def test_one_day_needs_no_other_process(folder: Path, tmp_path: Path) -> None:
    one_day = {"start_date": "2024-07-05", "end_date": "2024-07-05"}
    config = config_of(folder, "one_day", backtest_config=one_day)

    result, _ = run(config, tmp_path / "run", 2)

    assert len(result.days) == 1
