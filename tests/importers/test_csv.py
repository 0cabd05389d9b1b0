"""CSV files of many makes are read right, or the error says which option they need."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell.errors import BadBarsError, ConfigError, IntervalError
from openbell.importers.csv import CsvColumns, import_csv
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "timestamp,open,high,low,close,volume"
REST = "10,11,9,10.5,100"
OPEN = datetime(2013, 10, 10, 13, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore.open_or_create(tmp_path / "store")


def write(folder: Path, *lines: str, header: str = HEADER, name: str = "spy.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def times_of(store: BarStore, symbol: str = "SPY", interval: str = "1m") -> list[datetime]:
    return store.read([symbol], interval, None, None)["timestamp"].to_list()


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("2013-10-10 09:30:00", {"timezone": "America/New_York"}),
        ("2013-10-10T09:30", {"timezone": "America/New_York"}),
        ("2013/10/10 09:30:00.000", {"timezone": "America/New_York"}),
        ("20131010 093000", {"timezone": "America/New_York"}),
        ("2013-10-10 13:30:00", {"timezone": "UTC"}),
        ("2013-10-10T09:30:00-04:00", {}),
        ("2013-10-10 09:30:00-0400", {}),
        ("2013-10-10T13:30:00Z", {}),
        ("2013-10-10 13:30:00 UTC", {}),
        ("2013-10-10T13:30:00Z", {"timezone": "America/New_York"}),
        ("1381411800", {"time_format": "epoch_s"}),
        ("1381411800.0", {"time_format": "epoch_s"}),
        ("1381411800000", {"time_format": "epoch_ms"}),
        ("1381411800000000", {"time_format": "epoch_us"}),
        ("1381411800000000000", {"time_format": "epoch_ns"}),
        ("10.10.2013 09:30", {"time_format": "%d.%m.%Y %H:%M", "timezone": "America/New_York"}),
        ("10.10.2013 09:30 -0400", {"time_format": "%d.%m.%Y %H:%M %z"}),
        ("2013-10-10 09:31:00", {"timezone": "America/New_York", "label": "end"}),
    ],
)
def test_times_are_read_as_they_are_meant(tmp_path: Path, store: BarStore, text: str, options: dict) -> None:
    report = import_csv([write(tmp_path, f"{text},{REST}")], store, interval="1m", **options)

    assert report.set_aside == 0
    assert times_of(store) == [OPEN]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("2013-10-10", {}),
        ("20131010", {}),
        ("2013-10-10 00:00:00-04:00", {}),
        ("2013-10-10T04:00:00Z", {}),
        ("2013-10-10T04:00:00Z", {"timezone": "America/New_York"}),
        ("2013-10-11T01:00:00Z", {"timezone": "America/New_York"}),
        ("10/10/2013", {"time_format": "%m/%d/%Y"}),
        ("1381377600", {"time_format": "epoch_s", "timezone": "America/New_York"}),
    ],
)
def test_daily_bars_get_the_date_that_is_written(tmp_path: Path, store: BarStore, text: str, options: dict) -> None:
    import_csv([write(tmp_path, f"{text},{REST}")], store, interval="1d", **options)

    assert times_of(store, interval="1d") == [datetime(2013, 10, 10, tzinfo=UTC)]


@pytest.mark.parametrize("lines", [("2013-10-10 09:30:00",), ("2013-10-10T13:29:00Z", "2013-10-10 09:30:00")])
def test_naive_times_need_a_time_zone(tmp_path: Path, store: BarStore, lines: tuple[str, ...]) -> None:
    path = write(tmp_path, *(f"{line},{REST}" for line in lines))

    with pytest.raises(ConfigError, match=r"spy\.csv: naive timestamps.*--timezone America/New_York"):
        import_csv([path], store, interval="1m")
    assert store.coverage() == []


def test_numbers_need_a_format(tmp_path: Path, store: BarStore) -> None:
    with pytest.raises(ConfigError, match="epoch_ms"):
        import_csv([write(tmp_path, f"1381411800000,{REST}")], store, interval="1m", timezone="UTC")


def test_columns_are_found_by_their_usual_names_or_by_the_names_given(tmp_path: Path, store: BarStore) -> None:
    usual = write(tmp_path, "100,2013-10-10,10,11,9,10.5", header="Volume,Date,Open,High,Low,Close", name="a.csv")
    odd = write(tmp_path, "2013-10-10,9,10,11,9,10.5", header="d,x,o,h,l,c", name="b.csv")
    import_csv([usual], store, interval="1d")
    import_csv([odd], store, interval="1d", columns=CsvColumns("d", "o", "h", "l", "c", "none"))

    assert store.read(["A", "B"], "1d", None, None).drop("timestamp").rows() == [
        ("A", 10.0, 11.0, 9.0, 10.5, 100.0),
        ("B", 10.0, 11.0, 9.0, 10.5, 0.0),
    ]


def test_a_column_that_is_not_there_is_told_with_the_nearest(tmp_path: Path, store: BarStore) -> None:
    path = write(tmp_path, f"2013-10-10,{REST}")

    with pytest.raises(ConfigError, match=r"no column closed for the close\. Did you mean 'close'"):
        import_csv([path], store, interval="1d", columns=CsvColumns(close="closed"))
    with pytest.raises(ConfigError, match="--volume-column none"):
        import_csv([write(tmp_path, header="date,open,high,low,close")], store, interval="1d")


def test_symbols_come_from_the_option_or_the_file_names(tmp_path: Path, store: BarStore) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    for name in ("spy_1d.csv", "brk.b_1d.csv"):
        write(folder, f"2013-10-10,{REST}", name=name)
    import_csv([folder], store, interval="1d", file_name="{symbol}_1d")
    import_csv([folder / "spy_1d.csv"], store, interval="1d", symbol="btc/usd")

    assert store.symbols() == ("BRK.B", "SPY", "btc/usd")
    with pytest.raises(ConfigError, match="does not fit"):
        import_csv([folder], store, interval="1d", file_name="x_{symbol}")


def test_times_that_the_change_of_clocks_makes_unclear_are_set_aside(tmp_path: Path, store: BarStore) -> None:
    lines = ("2013-03-10 02:30:00", "2013-11-03 01:30:00", "2013-11-03 03:30:00", "noon")
    report = import_csv(
        [write(tmp_path, *(f"{line},{REST}" for line in lines))], store, interval="1m", timezone="America/New_York"
    )

    assert times_of(store) == [datetime(2013, 11, 3, 8, 30, tzinfo=UTC)]
    rows = pl.read_csv(report.quarantine[0])
    assert rows["line"].to_list() == [2, 3, 5]
    assert [reason.split(" in ")[0] for reason in rows["reason"]] == [
        "there is no such time", "the time comes twice", "the time cannot be read",
    ]  # fmt: skip


def test_bad_rows_are_kept_as_they_were_written_and_the_rest_is_stored(tmp_path: Path, store: BarStore) -> None:
    lines = [f"2013-10-1{i},{REST}" for i in range(5)]
    lines[1] = "2013-10-11,10,11,9,n/a,100"
    report = import_csv([write(tmp_path, *lines, lines[0], lines[4])], store, interval="1d")

    series = report.series["SPY", "1d"]
    assert (series.written.added, series.set_aside, series.duplicates, series.unsorted) == (4, 1, 2, 1)
    assert pl.read_csv(report.quarantine[0]).row(0) == (
        3, "the close is missing or not a number", "2013-10-11", 10, 11, 9, "n/a", 100,
    )  # fmt: skip


def test_nothing_usable_is_an_error(tmp_path: Path, store: BarStore) -> None:
    with pytest.raises(BadBarsError, match="nothing was imported: 1 row cannot be used: the high is below the low"):
        import_csv([write(tmp_path, "2013-10-10,1,1,2,1,1")], store, interval="1d")


def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_imported(tmp_path: Path, store: BarStore) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    report = import_csv([empty, write(tmp_path, f"2013-10-10,{REST}")], store, interval="1d")

    assert [path for path, _ in report.failed] == [empty]
    assert store.symbols() == ("SPY",)


def test_what_makes_no_sense_is_told(tmp_path: Path, store: BarStore) -> None:
    path = write(tmp_path, f"2013-10-10,{REST}")
    with pytest.raises(IntervalError, match="openbell derives 1w"):
        import_csv([path], store, interval="1w")
    with pytest.raises(ConfigError, match="unknown time zone 'Mars'"):
        import_csv([path], store, interval="1m", timezone="Mars")
    with pytest.raises(ConfigError, match="daily bars are stamped"):
        import_csv([path], store, interval="1d", label="end")
    with pytest.raises(ConfigError, match="there is no file"):
        import_csv([tmp_path / "nope.csv"], store, interval="1d")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no \.csv files"):
        import_csv([tmp_path / "empty"], store, interval="1d")


def test_times_between_the_minutes_are_set_aside(tmp_path: Path, store: BarStore) -> None:
    lines = [f"2013-10-10T13:30:{second:02}Z,{REST}" for second in (0, 1, 30)]
    report = import_csv([write(tmp_path, *lines)], store, interval="1m")

    assert times_of(store) == [OPEN]
    assert pl.read_csv(report.quarantine[0])["reason"].to_list() == ["the time is not at a full minute"] * 2
    assert import_csv([tmp_path / "spy.csv"], store, interval="1s").written.added == 3


def test_a_later_file_without_the_columns_is_told_and_the_others_are_imported(tmp_path: Path, store: BarStore) -> None:
    good = write(tmp_path, f"2013-10-10,{REST}")
    moved = write(
        tmp_path, "100,10.5,9,11,10,2013-10-10", header="volume,close,low,high,open,timestamp", name="ibm.csv"
    )
    other = write(tmp_path, f"2013-10-10,{REST}", header="day,o,h,l,c,v", name="aig.csv")
    report = import_csv([good, moved, other], store, interval="1d")

    assert [path.name for path, _ in report.failed] == ["aig.csv"]
    assert "there is no column timestamp or time or datetime or date" in report.failed[0][1]
    assert store.read(["IBM"], "1d", None, None).row(0)[2:] == (10.0, 11.0, 9.0, 10.5, 100.0)
