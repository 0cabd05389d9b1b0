"""TA-Lib without pandas: what openbell leaves out of a run, a user's own code still finds."""

from __future__ import annotations

import subprocess
import sys

import pytest

OPENBELL = "from openbell import indicators; sma = indicators.get('sma')"
USERS = "import talib"
PANDAS = "import pandas as pd"
ORDERS = {
    "openbell, then the user's TA-Lib and pandas": [OPENBELL, USERS, PANDAS],
    "openbell, then the user's pandas and TA-Lib": [OPENBELL, PANDAS, USERS],
    "the user's TA-Lib first": [USERS, OPENBELL, PANDAS],
    "the user's pandas first": [PANDAS, OPENBELL, USERS],
}
USE = """
import numpy as np, polars as pl
from talib import abstract, stream
values = np.arange(1.0, 21.0)
series = pd.Series(values, index=pd.RangeIndex(100, 120))
frame = pd.DataFrame({"open": series, "high": series + 1, "low": series - 1, "close": series, "volume": series})
sma, (upper, _, lower) = talib.SMA(series, timeperiod=5), talib.BBANDS(series, timeperiod=5)
assert type(sma) is type(upper) is pd.Series and sma.index.equals(series.index) and sma.iloc[-1] == 18.0
assert talib.SMA(real=series, timeperiod=5).equals(sma)
assert type(talib.SMA(values, timeperiod=5)) is np.ndarray
assert type(talib.SMA(pl.Series(values), timeperiod=5)) is pl.Series
assert type(abstract.SMA(frame, timeperiod=5)) is pd.Series
assert abstract.SMA(series, timeperiod=5)[-1] == 18.0
bands = abstract.BBANDS(frame, timeperiod=5)
assert type(bands) is pd.DataFrame and list(bands.columns) == ["upperband", "middleband", "lowerband"]
assert stream.SMA(series, timeperiod=5).value == 18.0
try:
    talib.ADD(series, pl.Series(values))
except Exception as error:
    assert "Cannot mix polars and pandas" in str(error)
else:
    raise AssertionError("a mix of polars and pandas is refused")
assert sys.modules["pandas"] is pd and pd.concat([series, series]).size == 40
"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", f"import sys\n{program}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(order, id=name, marks=pytest.mark.long if n else ())
        for n, (name, order) in enumerate(ORDERS.items())
    ],
)
def test_a_users_talib_takes_and_returns_what_pandas_has(order: list[str]) -> None:
    run("\n".join([*order, USE]))


def test_indicators_of_talib_import_no_pandas() -> None:
    program = """
import numpy as np
from openbell import indicators
for name in indicators.names():
    indicators.get(name)
import talib
assert talib.SMA(np.arange(20.0), timeperiod=5)[-1] == 17.0
print([module for module in sys.modules if module.split(".")[0] in ("pandas", "pyarrow")])
"""

    assert run(program) == "[]\n"


def test_polars_finds_pandas_although_talib_did_not() -> None:
    program = f"{OPENBELL}; import polars as pl; {PANDAS}; print(type(pl.Series([1.0]).to_pandas()) is pd.Series)"

    assert run(program) == "True\n"
