"""No file and no option of the command line ends in a traceback."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from made_bars import made_store
from openbell.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Four kinds of input share the examples: 100 in every test run, 2,000 in the long one, the same ones each time. With
# OPENBELL_CASES so many are made of each kind, other ones each time.
CASES = int(os.environ.get("OPENBELL_CASES", "0"))
SOME, MANY = (
    settings(
        max_examples=CASES or each,
        derandomize=not CASES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    for each in (25, 500)
)
EXIT_CODES = (0, 1, 2, 3)

NAMES = [
    "timestamp", "time", "Date", "open", "High", "low", "CLOSE", "Adj Close", "volume", "symbol", "ticker", "open_time",
    "close_time", "line", "reason", "", " ", "a\nb", "x" * 300, "\u202e", "Datum", "成交量", "Up", "Down", "index",
]  # fmt: skip
TIMES = [
    "2024-07-01", "2024-07-01 09:30", "2024-07-01T13:30:00Z", "2024-07-01 09:30:00+05:30", "07/01/2024",
    "1/7/24 9:30 PM",
    "1719840600", "1719840600000", "1719840600000000000", "99999999999999999999", "-1", "0", "9999-12-31", "0001-01-01",
    "2024-02-30", "24:00", "2024-07-01 25:00", "20240701 09:30:00 US/Eastern", "2024-11-03 01:30", "Jul 1, 2024", "",
]  # fmt: skip
NUMBERS = [
    "1", "10.5", "10,5", "1.234,5", "-1", "0", "nan", "inf", "1e308", "1e-320", "9" * 400, "$5", "350.5k", "--", "",
    " ", "1_0",
    "\uff10", "0x10", "+3", "1'000", '"', "'", "=1+1",
]  # fmt: skip
GARBAGE = [
    "\x00",
    "\x1b[31m",
    "\ud7ff",
    "'",
    '"',
    "x" * 1000,
    "../../etc",
    "%s%n",
    "{symbol}",
    "*",
    "[",
    "-",
    "--",
    "~",
    "\u202e",
]
OPTIONS: dict[str, list[str]] = {
    "--interval": ["1m", "1d", "5m", "1w", "0m", "-1m", "1x", "", "60m"],
    "--timezone": ["UTC", "America/New_York", "Mars/X", "", "../UTC", "Etc/GMT+12"],
    "--exchange": [
        "XNYS",
        "24/7",
        "XTKS",
        "NONE",
        "",
        "{",
        "{}",
        "{name: X}",
        "x.yaml",
        "{name: X, like: CMES}",
        "[1]",
    ],
    "--label": ["start", "end", "x"],
    "--days": ["session", "UTC", "x", ""],
    "--price-scale": ["1", "0", "-1", "nan", "inf", "1e308", "x"],
    "--time-format": ["%Y", "%d.%m.%Y %H:%M", "epoch_s", "epoch_ns", "%", "%Q", "", "x"],
    "--symbol": ["A", "", "x" * 400, "a/b", "\x1b[31m", ".", ".."],
    "--file-name": ["{symbol}", "{date}", "{x}", "{", "", "{symbol}{symbol}"],
    "--time-column": ["time", "x", "", "open"],
    "--volume-column": ["none", "x", "Up+Down", "+", ""],
    "--symbol-column": ["symbol", "x", "open"],
    "--clock-column": ["time", "x"],
}
OF_CSV = {
    "--separator": [",", ";", "tab", "ab", "", "\n", '"', "0", "\u202e", "\x00"],
    "--decimal": [",", ".", "comma", "x", ""],
    "--encoding": ["utf-8", "gbk", "cp1252", "utf-16", "rot13", "base64", "idna", "", "x"],
}


def options(known: dict[str, list[str]]) -> st.SearchStrategy[list[str]]:
    one = st.sampled_from(sorted(known)).flatmap(
        lambda name: st.sampled_from([*known[name], *GARBAGE]).map(lambda value: f"{name}={value}")
    )
    flags = st.sampled_from(["--header", "--no-header", "--allow-negative", "--json"])
    return st.lists(one | flags if known is not OPTIONS else one, max_size=3)


def invoke(*words: str) -> None:
    words = tuple(word.replace("\x00", "") if "=" not in word else word for word in words)
    result = CliRunner().invoke(app, words)

    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)
    assert result.exit_code in EXIT_CODES, words
    assert "Traceback" not in result.output, words


def importing(kind: str, folder: Path, name: str, *given_options: str) -> None:
    invoke("data", "import", kind, str(folder / name), "--store", str(folder / "s"), "--yes", *given_options)


CELLS = st.sampled_from([*TIMES, *NUMBERS, *GARBAGE])
ROWS = st.tuples(st.sampled_from(TIMES), *[st.sampled_from(NUMBERS)] * 5) | st.lists(CELLS, max_size=8).map(tuple)
TEXTS = st.builds(
    lambda header, rows, between, end: end.join(between.join(row) for row in [header, *rows]),
    st.lists(st.sampled_from(NAMES), max_size=8).map(tuple) | st.just(("time", "open", "high", "low", "close",
    "volume")),
    st.lists(ROWS, max_size=8),
    st.sampled_from([",", ";", "\t", "|", " "]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
)  # fmt: skip


TWICE = pytest.mark.parametrize("many", [SOME, pytest.param(MANY, marks=pytest.mark.long)], ids=["some", "many"])


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path)


@TWICE
def test_no_csv_ends_in_a_traceback(tmp_path: Path, many: settings) -> None:
    encodings = st.sampled_from(["utf-8", "utf-16", "gbk", "utf-8-sig"])

    @many
    @given(TEXTS | st.text(max_size=200), encodings, options(OPTIONS | OF_CSV))
    def each(text: str, encoding: str, given_options: list[str]) -> None:
        with new_folder(tmp_path / "csv") as folder:
            (folder / "A.csv").write_bytes(text.encode(encoding, "replace"))
            importing("csv", folder, "A.csv", *given_options)

    each()


DAY = datetime(2024, 7, 1, 9, 30)  # noqa: DTZ001  as files have them
COLUMNS = [
    pl.Series([DAY + timedelta(minutes=n) for n in range(3)]),
    pl.Series([DAY.replace(tzinfo=UTC)] * 3),
    pl.Series([DAY] * 3).dt.replace_time_zone("Asia/Kolkata"),
    pl.Series([date(2024, 7, 1)] * 3),
    pl.Series([2**62, -(2**62), 0]).cast(pl.Datetime("us", "UTC")),
    pl.Series([time(9, 30)] * 3), pl.Series([timedelta(hours=1)] * 3),
    pl.Series([1.5, 2.5, float("nan")]), pl.Series([float("inf"), -1.0, 0.0]), pl.Series([1, 2, 3]),
    pl.Series([2**63 - 1, -(2**63), 0]), pl.Series([1719840600000, 1719840660000, 1719840720000]),
    pl.Series([True, False, None]), pl.Series(["a", None, "2024-07-01"]), pl.Series(["1.5", "x", ""]),
    pl.Series(["a", "b", "a"], dtype=pl.Categorical), pl.Series(["A", "B", "A"], dtype=pl.Enum(["A", "B"])),
    pl.Series([[1.0], [2.0, 3.0], None]), pl.Series([{"a": 1}, {"a": 2}, None]), pl.Series([b"\x00", b"\xff", None]),
    pl.Series([None, None, None]), pl.Series([Decimal("1.5"), Decimal("2.5"), None]), pl.Series([1, 2, 3],
    dtype=pl.UInt8),
]  # fmt: skip


DAMAGES = st.tuples(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 255)), max_size=3), st.integers(0, 400))
"""Places and masks of bytes that are flipped, and where the file is cut, in 200ths of it above 200."""


def damaged(whole: bytes, flips: list[tuple[int, int]], cut: int) -> bytes:
    content = bytearray(whole)
    for place, mask in flips:
        content[place % len(content)] ^= mask
    return bytes(content if cut < 200 else content[: len(content) * (cut - 200) // 200])


@TWICE
def test_no_parquet_ends_in_a_traceback(tmp_path: Path, many: settings) -> None:
    columns_of = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(range(len(COLUMNS))), max_size=9)

    @many
    @given(columns_of, options(OPTIONS), DAMAGES)
    def each(columns: dict[str, int], given_options: list[str], damage: tuple[list[tuple[int, int]], int]) -> None:
        usual = dict.fromkeys(("open", "high", "low", "close"), COLUMNS[7]) if len(columns) < 6 else {}
        with new_folder(tmp_path / "parquet") as folder:
            frame = pl.DataFrame(usual | {name: COLUMNS[at] for name, at in columns.items()})
            buffer = io.BytesIO()
            frame.write_parquet(buffer)
            (folder / "A.parquet").write_bytes(damaged(buffer.getvalue(), *damage))
            importing("parquet", folder, "A.parquet", *given_options)

    each()


MEMBERS = ["A.csv", "b/C.csv", "../D.csv", "/E.csv", "A.txt", "x.zip", "", "F/", "\x1b.csv"]


@TWICE
def test_no_zip_ends_in_a_traceback(tmp_path: Path, many: settings) -> None:
    names = st.sampled_from(["A.zip", "A.csv", "A.csv.gz", "A.csv.zst"])
    members_of = st.dictionaries(st.sampled_from(MEMBERS), TEXTS, max_size=4)

    @many
    @given(members_of, DAMAGES, names, st.sampled_from(["csv", "json"]))
    def each(members: dict[str, str], damage: tuple[list[tuple[int, int]], int], name: str, kind: str) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, text in members.items():
                archive.writestr(member or "x", text)
        with new_folder(tmp_path / "zip") as folder:
            (folder / name).write_bytes(damaged(buffer.getvalue(), *damage))
            importing(kind, folder, name, "--timezone=UTC")
            assert {path.name for path in folder.iterdir()} <= {name, "s"}

    each()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_store(tmp_path_factory.mktemp("whole") / "store", ["A"], "2024-07-01", "2024-07-02")


WORDS = [
    "A", "XNYS", "24/7", "sma", "vwap", "session.yaml", "none.yaml", ".", "/", "2024-07-01", "9999-12-31",
    "0001-01-01", "1m", "1d",
    "-1", "0", "nan", "99999999999999999999", "", "x.html", "period=5", "=", "period=", "store", "/dev/null", "x" * 300,
    *GARBAGE,
]  # fmt: skip
COMMANDS: dict[tuple[str, ...], list[str]] = {
    ("check",): ["--json"],
    ("plan",): ["--json", "--store"],
    ("run",): ["--json", "--store", "--out"],
    ("report",): ["--out", "--store", "--charts"],
    ("calendars",): ["--from", "--to", "--json"],
    ("indicators",): ["--json", "--period", "--param", "--interval"],
    ("schema",): [],
    ("data", "ls"): ["--json", "--built"],
    ("data", "check"): ["--from", "--to", "--interval", "--exchange", "--html", "--top", "--min-score", "--json"],
    ("data", "actions"): ["--json"],
    ("data", "verify"): ["--json", "--exchange"],
    ("data", "repair"): ["--json", "--exchange"],
    ("data", "rm"): ["--from", "--to", "--interval", "--yes", "--json"],
    ("data", "import", "lean"): ["--symbol", "--interval", "--timezone"],
    ("data", "import", "actions"): ["--json"],
    ("data", "import", "databento"): ["--symbol"],
}
CALLS = st.sampled_from(sorted(COMMANDS)).flatmap(
    lambda command: st.tuples(
        st.just(command),
        st.lists(st.sampled_from([*COMMANDS[command], "--nonsense"]) | st.sampled_from(WORDS), max_size=5),
    )
)


@TWICE
def test_no_options_end_in_a_traceback(tmp_path: Path, store: Path, many: settings) -> None:
    days = "backtest_config: {start_date: 2024-07-02, end_date: 2024-07-02}"
    session = f"store: store\n{days}\nsession_data_config: {{symbols: [A]}}\n"

    @many
    @given(CALLS, st.booleans())
    def each(call: tuple[tuple[str, ...], list[str]], is_whole: bool) -> None:
        command, words = call
        with new_folder(tmp_path / "options") as folder, pytest.MonkeyPatch.context() as patch:
            shutil.copytree(store, folder / "store")
            (folder / "session.yaml").write_text(session)
            patch.chdir(folder)
            invoke(*command, *(["--store", "store"] if command[0] == "data" and is_whole else []), *words)
            patch.chdir(tmp_path)

    each()
