"""`openbell run` tells what a session did as it ends, and why something was refused or lacking; JSON stays JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from openbell.cli.app import app
from openbell.cli.terminal.console import err, out
from probes import CLOSES

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(scope="module")
def folder(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = shutil.copytree(demo_master, tmp_path_factory.mktemp("run-command") / "demo")
    (path / "closes.py").write_text(CLOSES, encoding="utf-8")
    return path


@pytest.fixture
def call(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command on a config of the demo's store; in a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    for console in (out, err):
        monkeypatch.setattr(console, "_width", 80)

    def run(command: list[str], *, days: tuple[str, str] = ("2024-07-02", "2024-07-05"), **config: Any) -> Result:
        data = {"symbols": ["ALFA", "BRVO"], "streams": ["1m", "5m"], **config.pop("data", {})}
        config_file = folder / f"{tmp_path.name}.json"
        written = {
            "store": "store",
            "backtest_config": {"start_date": days[0], "end_date": days[1]},
            "session_data_config": data,
            "strategies": [{"module": "closes.py:Closes", "config": config}],
        }
        config_file.write_text(json.dumps(written), encoding="utf-8")
        return CliRunner().invoke(app, [*command, str(config_file)])

    return run


def test_warnings_are_told_once_for_all_their_symbols(call: Any) -> None:
    history = {"data": [{"trailing_days": 300, "intervals": ["1m"]}]}
    result = call(["run"], data={"historical": history, "indicators": [{"name": "macd", "interval": "1d"}]})

    lines = " ".join(result.stdout.split())
    assert "warning ALFA BRVO: 1m: 300 trailing sessions were asked for, 20 have bars" in lines
    assert "warning ALFA BRVO: 1m: 300 trailing sessions were asked for, 21 have bars" in lines


def test_warnings_of_a_session_before_are_not_told_again(call: Any) -> None:
    result = call(["run"], data={"indicators": [{"name": "obv", "interval": "5m"}]})

    assert result.stdout.count("it never settles") == 1
    assert result.stdout.count("warning 1 as on 2024-07-02") == 2


def test_the_report_of_a_failed_run_has_what_its_last_session_refused(call: Any) -> None:
    result = call(["run"], long=99_999)

    assert result.exit_code == 1
    refused = (
        "refused ALFA: indicator sma_99999_1m for strategy Closes at 09:30: ALFA sma_99999_1m needs 99999 bars of 1m"
    )
    assert refused in " ".join(result.stdout.split())
    error = "indicator sma_99999_1m of ALFA was refused: ALFA sma_99999_1m needs 99999 bars"
    assert error in " ".join(result.stderr.split())


def test_the_reason_of_a_refusal_is_told(call: Any) -> None:
    result = call(["run"], asks=["NOSUCH"])

    lines = " ".join(result.stdout.split())
    assert result.exit_code == 0
    assert "refused NOSUCH: symbol for strategy Closes at 09:30: the store" in lines
    assert lines.count("has no bars of NOSUCH") == 1
    assert lines.count("refused 1 as on 2024-07-02") == 2


def test_what_users_print_does_not_get_into_the_json(call: Any) -> None:
    for command in (["run", "--json"], ["plan", "--json"], ["check", "--json"]):
        result = call(command)

        json.loads(result.stdout)
    assert "a user's line" in call(["run", "--json"]).stderr


def test_a_run_that_fails_has_told_the_sessions_before(call: Any) -> None:
    result = call(["run"], fails_on="2024-07-03")

    assert result.exit_code == 1
    assert "Session 2024-07-02" in result.stdout
    assert "Session 2024-07-03" not in result.stdout
    assert "1 of 3 sessions are done" in result.stdout
    assert "run folder: runs" in result.stderr
    assert "as told" in result.stderr


def test_a_run_that_fails_prints_what_it_did_as_json_with_the_error(call: Any) -> None:
    result = call(["run", "--json"], fails_on="2024-07-03")

    summary = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [day["date"] for day in summary["days"]] == ["2024-07-02"]
    assert summary["error"].startswith("strategy Closes.on_bar raised RuntimeError at 2024-07-03")


def test_a_run_that_does_not_begin_is_an_error_in_json(call: Any) -> None:
    result = call(["run", "--json"], data={"streems": ["1m"]})

    assert result.exit_code == 2
    assert json.loads(result.stdout)["days"] == []
    assert "streems" in json.loads(result.stdout)["error"]


def test_an_interrupted_run_says_where_it_stopped(call: Any) -> None:
    result = call(["run"], interrupted_on="2024-07-03")

    assert result.exit_code == 130
    assert "Session 2024-07-02" in result.stdout
    assert result.stderr.endswith("interrupted in session 2024-07-03\n")
    assert json.loads(call(["run", "--json"], interrupted_on="2024-07-03").stdout)["error"] == (
        "interrupted in session 2024-07-03"
    )


def test_of_many_sessions_each_has_a_line_and_the_last_is_told_in_full(call: Any) -> None:
    result = call(["run"], days=("2024-06-10", "2024-06-28"), asks=["NOSUCH"])

    rows = [line for line in result.stdout.splitlines() if line.startswith("2024-06")]
    assert len(rows) == 14
    assert len({len(row) for row in rows}) == 1
    assert max(len(line) for line in result.stdout.splitlines() if not line.startswith("refused")) <= 80
    assert result.stdout.count("Session 2024") == 1
    assert "Session 2024-06-28, 09:30 to 16:00" in result.stdout


@pytest.mark.parametrize("arguments", [["-v", "run"], ["run", "-v"]])
def test_the_log_tells_of_sessions_symbols_and_signals(call: Any, arguments: list[str]) -> None:
    told = call(arguments, asks=["NOSUCH"]).stderr

    for part in ("run started", "session=2024-07-02", "provisioned", "refused", "signal", "session ended"):
        assert part in told
    assert "2024-07-02T10:30:00-04:00" in told


def test_the_log_as_json_has_session_time_and_at_vv_the_steps(call: Any) -> None:
    told = call(["run", "-vv", "--log-json"], data={"indicators": [{"name": "sma", "period": 5, "interval": "5m"}]})

    events = [json.loads(line) for line in told.stderr.splitlines() if line.startswith("{")]
    signals = [event for event in events if event["event"] == "signal"]
    assert len(signals) == 7 + 4 + 7
    assert signals[0]["session_time"] == "2024-07-02T10:30:00-04:00"
    phases = ("analysed", "validated", "provisioned")
    of_alfa = [event for event in events if event["event"] in phases and event["symbol"] == "ALFA"]
    assert tuple(event["event"] for event in of_alfa[:3]) == phases
    analysed, validated, provisioned = of_alfa[:3]
    assert analysed["bars_of_history"] == {"1m": 0, "5m": 5}
    assert analysed["indicators"] == ["sma_5_5m"]
    assert validated["steps"] == list(provisioned["steps_ms"])
    assert {event["session_time"] for event in of_alfa[:3]} == {"2024-07-02T09:30:00-04:00"}


def test_a_plan_of_nothing_that_can_be_loaded_exits_3(call: Any) -> None:
    assert call(["plan"]).exit_code == 0
    assert call(["plan", "--json"], data={"symbols": ["NOSUCH", "ALFA"]}).exit_code == 0

    result = call(["plan", "--json"], data={"symbols": ["NOSUCH"]})
    assert result.exit_code == 3
    assert json.loads(result.stdout)["days"][0]["symbols"]["NOSUCH"]["errors"]


def test_the_plan_tells_a_problem_once_for_all_symbols_and_days(call: Any) -> None:
    history = {"data": [{"trailing_days": 300, "intervals": ["1m"]}]}
    lines = " ".join(call(["plan"], data={"historical": history}).stdout.split())

    assert lines.count("300 trailing sessions were asked for") == 1
    assert "warning ALFA BRVO on 2024-07-02: 1m: 300 trailing sessions were asked for, 20 have bars" in lines
    assert "2024-06-03). Also, with other numbers, on 2024-07-03, 2024-07-05." in lines


def test_the_hint_is_a_command_that_works(call: Any, folder: Path) -> None:
    told = call(["plan", "--json"], data={"symbols": ["XYZ"]})

    [error] = json.loads(told.stdout)["days"][0]["symbols"]["XYZ"]["errors"]
    command = error.split("`")[1]
    assert command.startswith("openbell data ls --store ")
    assert "ALFA" in CliRunner().invoke(app, command.split()[1:]).stdout


def test_a_damaged_file_is_one_error(call: Any, folder: Path) -> None:
    path = [p for p in sorted((folder / "store").rglob("*.parquet")) if "DLTA" in str(p) and "1m" in str(p)][-1]
    content = path.read_bytes()
    path.write_bytes(content[:100])
    try:
        told = call(["plan", "--json"], data={"symbols": ["DLTA", "ALFA"], "streams": ["1m", "5m", "15m"]})
    finally:
        path.write_bytes(content)

    errors = json.loads(told.stdout)["days"][0]["symbols"]["DLTA"]["errors"]
    assert [error.partition(":")[0] for error in errors] == ["load_historical cannot have 1m, 5m, 15m bars"]


@pytest.mark.parametrize(("symbols", "told"), [(["NO"], "the only symbol could not"), (["NO", "NAY"], "none of the 2")])
def test_a_run_of_which_nothing_can_be_provisioned_exits_3(call: Any, symbols: list[str], told: str) -> None:
    result = call(["run"], data={"symbols": symbols})

    assert result.exit_code == 3
    assert told in result.stderr


def test_a_run_loads_only_the_libraries_that_it_uses(folder: Path, tmp_path: Path) -> None:
    config = folder / f"{tmp_path.name}.json"
    data = {"symbols": ["ALFA"], "streams": ["1m"], "indicators": [{"name": "vwap", "interval": "1m"}]}
    days = {"start_date": "2024-07-02", "end_date": "2024-07-02"}
    written = {"session_name": "light", "exchange": "XNYS", "store": "store", "backtest_config": days}
    config.write_text(json.dumps({**written, "session_data_config": data}), encoding="utf-8")
    script = (
        "import sys\n"
        "from openbell.cli.app import app\n"
        f"app(['run', {str(config)!r}, '--out', {str(tmp_path / 'run')!r}], standalone_mode=False)\n"
        "print([name for name in ('talib', 'structlog', 'numba') if name in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
    assert "2024-07-02" in done.stdout


def test_a_strategy_that_logs_through_structlog_itself_obeys_the_log_options(folder: Path, tmp_path: Path) -> None:
    (folder / "chatty.py").write_text(
        "import structlog\n"
        "from openbell import Strategy\n"
        "class Chatty(Strategy):\n"
        "    def setup(self):\n"
        "        structlog.get_logger().info('small talk')\n"
        "        structlog.get_logger().warning('worth a word')\n",
        encoding="utf-8",
    )
    config = folder / f"{tmp_path.name}.json"
    days = {"start_date": "2024-07-02", "end_date": "2024-07-02"}
    written = {"session_name": "chatty", "exchange": "XNYS", "store": "store", "backtest_config": days}
    data = {"symbols": ["ALFA"], "streams": ["1m"]}
    config.write_text(
        json.dumps({**written, "session_data_config": data, "strategies": [{"module": "chatty.py:Chatty"}]}),
        encoding="utf-8",
    )
    command = [sys.executable, "-c", "from openbell.cli.app import main; main()", "run", str(config)]

    done = subprocess.run([*command, "--out", str(tmp_path / "run")], capture_output=True, text=True, check=True)

    assert "worth a word" in done.stderr
    assert "small talk" not in done.stdout + done.stderr
    assert "worth a word" not in done.stdout


@pytest.mark.parametrize("option", [[], *(pytest.param([o], marks=pytest.mark.long) for o in ("--json", "-v"))])
def test_a_reader_that_goes_away_ends_the_printing_and_not_the_run(
    folder: Path, tmp_path: Path, option: list[str]
) -> None:
    (folder / "wordy.py").write_text(
        "from openbell import Strategy\n"
        "class Wordy(Strategy):\n"
        "    def subscriptions(self):\n"
        "        return [('ALFA', '1m')]\n"
        "    def on_bar(self, bar):\n"
        "        print('a long line ' * 100, flush=True)\n",
        encoding="utf-8",
    )
    config = folder / f"{tmp_path.name}.json"
    days = {"start_date": "2024-07-02", "end_date": "2024-07-05"}
    written = {"store": "store", "backtest_config": days, "session_data_config": {"symbols": ["ALFA"]}}
    config.write_text(json.dumps({**written, "strategies": [{"module": "wordy.py:Wordy"}]}), encoding="utf-8")
    command = [sys.executable, "-c", "from openbell.cli.app import main; main()", "run", str(config), *option]

    run = subprocess.Popen([*command, "--out", str(tmp_path / "run")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.close()

    assert run.wait() == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert "error" not in summary
    assert len(summary["days"]) == 3
