"""Adding an indicator by decorator or by entry point, and what is imported when."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from openbell import indicators
from openbell.errors import ConfigError, DataError, UnknownNameError
from openbell.indicators import REGISTRY, IndicatorInputs, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def registered_for_a_test() -> Iterator[None]:
    """Take out what the test registers."""
    before = set(indicators.names())
    yield
    for name in set(indicators.names()) - before:
        REGISTRY.remove(name)


@pytest.mark.usefixtures("registered_for_a_test")
def test_a_decorated_kernel_is_an_indicator(five_minutes: IndicatorInputs) -> None:
    @indicators.register(
        "body_share",
        title="Mean share of the body",
        inputs=("open", "high", "low", "close"),
        parameters=[Parameter("period", 3, int, 1, None, "bars")],
        lookback=lambda params: params["period"],
    )
    def body_share(inputs: IndicatorInputs, params: dict) -> np.ndarray:
        """Mean of |close - open| / (high - low)."""
        share = np.abs(inputs.close - inputs.open) / (inputs.high - inputs.low)
        result = np.full(len(inputs), np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(share, params["period"])
        result[params["period"] - 1 :] = windows.mean(axis=1)
        return result

    indicator = indicators.get("Body_Share")
    params = indicator.resolve(5)

    assert indicator.about == "Mean of |close - open| / (high - low)."
    assert indicators.key("body_share", params, "5m") == "body_share_5_5m"
    assert indicators.parse_key("body_share_5m") == ("body_share", {"period": 3}, "5m")
    assert indicator.lookback(params).bars == 5
    assert indicator.settling(params) == 0
    assert np.isfinite(indicator.compute(five_minutes[:5], params)["value"]).tolist() == [False] * 4 + [True]


@pytest.mark.usefixtures("registered_for_a_test")
@pytest.mark.parametrize("made", [pl.Series, pd.Series, list, np.float32, lambda column: (column,)])
def test_a_column_of_any_kind_is_taken_as_an_array(five_minutes: IndicatorInputs, made: Any) -> None:
    closes = indicators.register("closes", title="Closes", inputs=["close"], lookback=1)
    closes(lambda inputs, params: made(inputs.close))

    (found,) = indicators.get("closes").compute(five_minutes, {}).values()

    assert found.dtype == np.float64
    np.testing.assert_allclose(found, five_minutes.close, rtol=1e-6)


@pytest.mark.usefixtures("registered_for_a_test")
@pytest.mark.parametrize(
    ("outputs", "made", "told"),
    [
        (("value",), lambda close: None, r"odd computed its value of 30,828 bars as object of shape \(\)"),
        (("value",), lambda close: pl.Series(close).cast(pl.String), "as <U18 of shape"),
        (("value",), lambda close: pl.DataFrame({"x": close}), r"of shape \(\d+, 1\)"),
        (("value",), lambda close: [[1.0], [1.0, 2.0]], r"as object of shape \(2,\)"),
        (("value",), lambda close: (close, close), "odd computed 2 columns and has the outputs value"),
        (("a", "b"), lambda close: close, "odd computed 1 column and has the outputs a, b"),
        (("a", "b"), lambda close: pl.Series(close), "odd computed 1 column and has the outputs a, b"),
    ],
)
def test_what_is_no_column_is_refused_by_name(
    five_minutes: IndicatorInputs, outputs: tuple[str, ...], made: Any, told: str
) -> None:
    odd = indicators.register("odd", title="Odd", inputs=["close"], outputs=outputs, lookback=1)
    odd(lambda inputs, params: made(inputs.close))

    with pytest.raises(DataError, match=f"{told}.* A kernel returns for each output an array of float64"):
        indicators.get("odd").compute(five_minutes, {})


@pytest.mark.usefixtures("registered_for_a_test")
def test_a_word_may_be_a_parameter() -> None:
    @indicators.register(
        "pick",
        title="One column",
        inputs=("open", "close"),
        parameters=[Parameter("column", "close", str)],
        lookback=1,
    )
    def pick(inputs: IndicatorInputs, params: dict) -> np.ndarray:
        return np.asarray(getattr(inputs, params["column"]))

    assert indicators.parse_key("pick_open_5m") == ("pick", {"column": "open"}, "5m")
    assert indicators.key("pick", {}, "5m") == "pick_close_5m"
    with pytest.raises(ConfigError, match="column must be a word, not 3"):
        indicators.get("pick").resolve(3)


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("vwap", ("close",), "the indicator 'vwap' is registered already"),
        ("Big", ("close",), "bad indicator name 'Big': use lower-case letters"),
        ("two words", ("close",), "bad indicator name"),
        ("bid_share", ("bid",), "bars have no column 'bid', only open, high, low, close, volume"),
    ],
)
def test_a_bad_registration_is_refused(name: str, inputs: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        indicators.register(name, title="x", inputs=inputs, lookback=1)(lambda inputs, _params: inputs.close)


def install(folder: Path, source: str, entry: str) -> None:
    """A package with an entry point, as pip leaves it."""
    (folder / "a_plugin.py").write_text(source, encoding="utf-8")
    info = folder / "a_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a-plugin\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[openbell.indicators]\n{entry}\n", encoding="utf-8")


def run(program: str, folder: Path) -> str:
    """What a program prints that may import from a folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    return done.stdout or done.stderr


@pytest.mark.parametrize("entry", ["mine = a_plugin", "mine = a_plugin:TWICE"])
def test_a_plugin_is_found_through_its_entry_point(entry: str, tmp_path: Path) -> None:
    source = (
        "from openbell import indicators\n"
        "@indicators.register('twice_close', title='Twice the close', inputs=['close'], lookback=1)\n"
        "def twice_close(inputs, params):\n"
        "    return inputs.close * 2\n"
        "TWICE = indicators.get('twice_close')\n"
    )
    install(tmp_path, source, entry)

    program = "from openbell import indicators as i; print(i.get('twice_close').title, 'twice_close' in i.names())"
    assert run(program, tmp_path) == "Twice the close True\n"


def test_a_plugin_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    install(tmp_path, "raise RuntimeError('no licence')", "broken = a_plugin")

    assert run("from openbell import indicators; print(indicators.get('sma').name)", tmp_path) == "sma\n", (
        "known names do not need the plug-ins"
    )
    told = run("from openbell import indicators; indicators.get('no_such_thing')", tmp_path)
    assert "ConfigError: the indicator plug-in 'broken' (a_plugin) cannot be loaded: no licence" in told


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown indicator 'supertrand'\. Did you mean 'supertrend'"):
        indicators.get("supertrand")


def test_neither_talib_nor_frames_are_imported_before_they_are_needed() -> None:
    program = (
        "import sys; from openbell import indicators; indicators.get('vwap');"
        "print([m for m in ('talib', 'polars', 'pandas', 'exchange_calendars') if m in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_one_indicator_of_talib_is_described_without_the_others() -> None:
    program = (
        "import gc; from openbell import indicators;"
        "made = lambda: {o.name for o in gc.get_objects() if isinstance(o, indicators.Indicator)}; own = made();"
        "indicators.key('ema', {}, '5m'); print(made() - own, 'rsi' in indicators.names())"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == (
        "{'ema'} True\n"
    )


def test_an_indicator_is_described_once_also_for_threads_that_ask_together() -> None:
    program = (
        "from concurrent.futures import ThreadPoolExecutor; from openbell import indicators;"
        "names = ['bbands', 'macd', 'rsi', 'stoch'] * 8;"
        "found = list(ThreadPoolExecutor(8).map(indicators.get, names)); print(len({*map(id, found)}))"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "4\n"


def test_the_registry_has_all_names_and_gives_each() -> None:
    known = indicators.names()

    assert len(REGISTRY) == len(known) > 200
    assert sorted(indicator.name for indicator in REGISTRY) == list(known)
    assert all(name in REGISTRY for name in known)
    assert "no_such_thing" not in REGISTRY


@pytest.mark.usefixtures("registered_for_a_test")
def test_a_name_of_talib_is_taken_before_it_is_described() -> None:
    indicators.names()

    with pytest.raises(ConfigError, match="the indicator 'rsi' is registered already"):
        indicators.register("rsi", title="x", inputs=["close"], lookback=1)(lambda inputs, _params: inputs.close)
