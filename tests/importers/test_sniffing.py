"""How a file is to be read is guessed from it, with the reason; what it does not tell must be said."""

# ruff: noqa: DTZ001  files have local times without an offset

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from openbell.errors import BadBarsError, ConfigError, IntervalError
from openbell.importers.csv import CsvColumns, import_csv, import_csv_as
from openbell.importers.files.import_files import ImportSource
from openbell.importers.sniffing.guess import Given, Guess
from openbell.importers.sniffing.sniff import sniff_csv, sniff_frame
from openbell.importers.sniffing.start_or_end import sniff_label
from openbell.importers.sniffing.times import FORMATS
from openbell.importers.tables.columnar_table import parquet_table
from openbell.importers.times.written_times import formats_that_fit, read_written
from openbell.store.store import BarStore
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Iterable

NEW_YORK = Given(timezone="America/New_York")
MINUTE_NS = 60_000_000_000
SESSIONS = (datetime(2024, 6, 27), datetime(2024, 6, 28), datetime(2024, 7, 1))


def times(step: timedelta = timedelta(minutes=1), late: timedelta = timedelta(), count: int = 30) -> list[datetime]:
    """The first bars of three sessions in New York, on the clock there."""
    return [day.replace(hour=9, minute=30) + late + step * i for day in SESSIONS for i in range(count)]


def prices(count: int, scale: float = 1) -> dict[str, list[float]]:
    close = [(180 + (i * 7 % 11) / 100) * scale for i in range(count)]
    opens = [close[0], *close[:-1]]
    pairs = list(zip(opens, close, strict=True))
    return {
        "open": opens,
        "high": [max(p) + 0.01 * scale for p in pairs],
        "low": [min(p) - 0.01 * scale for p in pairs],
        "close": close,
        "volume": [float(100 + i % 30) for i in range(count)],
    }


def write(
    folder: Path, when: Iterable[datetime], form: str = "%Y-%m-%d %H:%M", *, name: str = "ACME.csv", **options: Any
) -> ImportSource:
    """A CSV of bars at these times; ``columns`` renames, ``order`` orders, the rest goes to polars."""
    moments = list(when)
    columns, order = options.pop("columns", {}), options.pop("order", None)
    frame = pl.DataFrame(
        {"timestamp": [f"{m:{form}}" for m in moments], **prices(len(moments), options.pop("scale", 1))}
    )
    frame = frame.with_columns(pl.col("open", "high", "low", "close").round(2))
    frame = frame.rename(columns)
    frame.select(order or frame.columns).write_csv(folder / name, **options)
    return ImportSource(folder / name, symbol=Path(name).stem.upper())


def found(guess: Guess) -> dict[str, str]:
    return {detection.what: detection.value for detection in guess.detections}


def test_a_file_of_openbells_own_make_leaves_nothing_to_confirm_but_its_interval(tmp_path: Path) -> None:
    source = write(tmp_path, times())

    assert [f.what for f in sniff_csv(source, NEW_YORK).guessed] == ["interval"]
    assert sniff_csv(source, Given(timezone="America/New_York", interval="1m")).guessed == ()


def test_a_file_of_another_make_is_read_like_one_of_openbells_own(tmp_path: Path) -> None:
    plain = write(tmp_path, times())
    other = write(
        tmp_path,
        [t + timedelta(minutes=1) for t in times()],
        "%d.%m.%Y %H:%M:%S",
        name="odd.csv",
        columns={
            "timestamp": "Datum",
            "open": "<OPEN>",
            "high": "2. high",
            "low": "L",
            "close": "Last",
            "volume": "Vol.",
        },
        order=["Last", "Vol.", "Datum", "<OPEN>", "L", "2. high"],
        separator=";",
        decimal_comma=True,
    )
    guess = sniff_csv(ImportSource(other.path, symbol="ACME"), NEW_YORK)

    assert guess.preview.rows() == sniff_csv(plain, NEW_YORK).preview.rows()
    assert guess.preview["timestamp"][0] == datetime(2024, 6, 27, 13, 30, tzinfo=UTC)
    assert found(guess) | {"time format": "%d.%m.%Y %H:%M:%S", "interval": "1m", "label": "end"} == found(guess)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d %H%M%S", "%Y%m%d%H%M%S", "%Y%m%d%H%M",
        "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M %p",
        "%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y %H:%M", "%b %d, %Y %H:%M", "%Y.%m.%d %H:%M",
    ],
)  # fmt: skip
def test_time_formats_are_found(tmp_path: Path, form: str) -> None:
    guess = sniff_csv(write(tmp_path, times(), form), NEW_YORK)

    assert guess.preview["timestamp"][0] == datetime(2024, 6, 27, 13, 30, tzinfo=UTC)
    assert (str(guess.reading.interval), guess.reading.label) == ("1m", "start")


@pytest.mark.parametrize(
    "text", ["24.06.2024 24:00", "Mon, 24 juin 2024 9 pm", "31.12.2100 24:00", "06/05/24 9:30 AM", "13/13/2013", "late"]
)
def test_the_formats_that_fit_are_those_in_which_the_time_is_read(text: str) -> None:
    read = [form for form in FORMATS[::21] if not read_written(pl.Series([text]), form).null_count()]

    assert formats_that_fit(text, FORMATS[::21]) == read


@pytest.mark.parametrize(("digits", "form"), [(10, "epoch_s"), (13, "epoch_ms"), (16, "epoch_us"), (19, "epoch_ns")])
def test_numbers_since_1970_are_found_by_their_digits(tmp_path: Path, digits: int, form: str) -> None:
    source = write(tmp_path, times())
    epoch = [int(t.replace(tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10 ** (digits - 10) for t in times()]
    pl.read_csv(source.path).with_columns(timestamp=pl.Series(epoch)).write_csv(source.path)
    guess = sniff_csv(source, Given())

    assert guess.reading.time_format == form
    assert guess.preview["timestamp"][0] == datetime(2024, 6, 27, 13, 30, tzinfo=UTC)


def test_days_and_months_are_told_apart_by_the_order_of_the_times_or_not_at_all(tmp_path: Path) -> None:
    days = [datetime(2024, 1, d) for d in range(2, 13)]
    assert sniff_csv(write(tmp_path, days, "%d/%m/%Y"), Given()).reading.time_format == "%d/%m/%Y"
    assert sniff_csv(write(tmp_path, days, "%m/%d/%Y"), Given()).reading.time_format == "%m/%d/%Y"

    one_day = [datetime(2024, 1, 2, 9, 30) + timedelta(minutes=i) for i in range(30)]
    with pytest.raises(ConfigError, match=r"may be day/month or month/day\. Use --time-format '%d/%m/%Y %H:%M' or"):
        sniff_csv(write(tmp_path, one_day, "%d/%m/%Y %H:%M"), NEW_YORK)


def test_dates_and_clocks_in_columns_of_their_own(tmp_path: Path) -> None:
    source = write(tmp_path, times())
    frame = pl.read_csv(source.path).with_columns(
        pl.col("timestamp").str.slice(0, 10).alias("Date"),
        pl.col("timestamp").str.slice(11).str.replace(":", "").str.strip_chars_start("0").alias("Time"),
    )
    frame.drop("timestamp").write_csv(source.path)
    guess = sniff_csv(source, NEW_YORK)

    assert found(guess) | {"time column": "Date", "clock column": "Time", "label": "start"} == found(guess)
    assert guess.preview["timestamp"][0] == datetime(2024, 6, 27, 13, 30, tzinfo=UTC)


def test_amounts_are_no_dates_and_clocks_beside_full_times(tmp_path: Path) -> None:
    """As exchanges of cryptocurrencies write: no header, the end's time, the amount in the other currency, trades."""
    first, rows = 1_719_493_200_000, prices(30)
    lines = [
        f"{first + 60_000 * i},{o},{h},{low},{c},{v * 10:.0f},{first + 60_000 * i + 59_999},{513_351.33 + i},{v:.0f}"
        for i, (o, h, low, c, v) in enumerate(zip(*rows.values(), strict=True))
    ]
    (tmp_path / "BTCUSDT.csv").write_text("\n".join(lines))
    guess = sniff_csv(ImportSource(tmp_path / "BTCUSDT.csv", symbol="BTCUSDT"), Given())

    expected = {"time column": "column_1", "time format": "epoch_ms", "close column": "column_5", "interval": "1m"}
    assert found(guess) | expected | {"volume column": "column_6"} == found(guess)


def test_a_file_without_a_header_is_known_by_its_values(tmp_path: Path) -> None:
    source = write(tmp_path, times(), include_header=False)
    guess = sniff_csv(source, NEW_YORK)

    assert found(guess) | {"header": "none", "open column": "column_2", "volume column": "column_6"} == found(guess)
    store = BarStore.open_or_create(tmp_path / "store")
    assert import_csv_as([source.path], store, guess.reading).written.added == 90


def test_lines_above_the_header_are_passed_over(tmp_path: Path) -> None:
    source = write(tmp_path, times())
    source.path.write_text("# made by a vendor, 2024\nACME Inc.\n" + source.path.read_text())
    guess = sniff_csv(source, NEW_YORK)

    assert found(guess)["header"] == "line 3"
    store = BarStore.open_or_create(tmp_path / "store")
    assert import_csv_as([source.path], store, guess.reading).written.added == 90


def test_a_header_of_three_lines_costs_its_lines_only(tmp_path: Path) -> None:
    """As pandas writes the columns of several levels that yfinance gives."""
    source = write(tmp_path, (datetime(2024, 1, 1) + timedelta(days=i) for i in range(60)), "%Y-%m-%d")
    lines = source.path.read_text().splitlines()
    source.path.write_text(
        "\n".join(["Price,Open,High,Low,Close,Volume", "Ticker" + ",X" * 5, "Date,,,,,", *lines[1:]])
    )
    guess = sniff_csv(source, Given())
    report = import_csv_as([source.path], BarStore.open_or_create(tmp_path / "store"), guess.reading)

    assert {f.what: f.why for f in guess.detections}["time format"] == "e.g. 2024-01-01"
    assert (report.written.added, report.set_aside, found(guess)["interval"]) == (60, 0, "1d")
    assert list(report.series) == [("X", "1d")]


@pytest.mark.parametrize(("scale", "expected"), [(1, 1.0), (10_000, 1.0), (1_000_000_000, 1e9)])
def test_prices_are_scaled_where_no_currency_has_such_ones(tmp_path: Path, scale: int, expected: float) -> None:
    guess = sniff_csv(write(tmp_path, times(), scale=scale), NEW_YORK)

    assert guess.reading.price_scale == expected
    assert guess.preview["close"][1] == pytest.approx(180.07 * scale / expected)
    assert [d.what for d in guess.assumed] == (["price scale"] if scale == 10_000 else [])


@pytest.mark.parametrize(
    ("step", "interval"),
    [
        (timedelta(seconds=1), "1s"),
        (timedelta(minutes=1), "1m"),
        (timedelta(minutes=5), "5m"),
        (timedelta(minutes=15), "15m"),
        (timedelta(minutes=30), "30m"),
        (timedelta(hours=1), "60m"),
        (timedelta(days=1), "1d"),
    ],
)
def test_the_interval_is_the_usual_distance_of_neighbours(tmp_path: Path, step: timedelta, interval: str) -> None:
    source = write(tmp_path, times(step, count=5), "%Y-%m-%d %H:%M:%S")

    assert str(sniff_csv(source, NEW_YORK).reading.interval) == interval


@pytest.mark.parametrize(("minutes", "told"), [(7, "7 minutes"), (7 * 24 * 60, "7 days")])
def test_bars_that_are_not_stored_are_refused_with_what_is_possible(tmp_path: Path, minutes: int, told: str) -> None:
    when = [datetime(2024, 6, 27, 9, 30) + timedelta(minutes=minutes * i) for i in range(10)]

    with pytest.raises(IntervalError, match=rf"bars are {told} apart.*takes any interval shorter than a day"):
        sniff_csv(write(tmp_path, when), NEW_YORK)


@pytest.mark.parametrize(("busy", "label"), [(20_000, "end"), (300, "start")], ids=["busy in hours", "alike"])
def test_with_extended_hours_the_label_is_told_by_volume_or_not_at_all(tmp_path: Path, busy: int, label: str) -> None:
    ends = [datetime(2024, 6, day, 8, 1) + timedelta(minutes=minute) for day in (25, 26, 27) for minute in range(600)]
    hours = range(9 * 60 + 31, 16 * 60 + 1)  # ends of the bars of regular hours
    rows = ["Date,Open,High,Low,Close,Volume"]
    rows += [f"{t:%Y-%m-%d %H:%M},10,11,9,10,{busy if t.hour * 60 + t.minute in hours else 300}" for t in ends]
    (tmp_path / "ACME.csv").write_text("\n".join(rows))
    guess = sniff_csv(ImportSource(tmp_path / "ACME.csv", symbol="ACME"), NEW_YORK)

    (detection,) = (f for f in guess.detections if f.what == "label")
    assert (detection.value, "assumed" in detection.why) == (label, busy == 300)


@pytest.mark.parametrize(
    ("separator", "form"), [(",", "comma in quotes"), (";", "1.234,56"), (";", "volumes by thousands")]
)
def test_decimal_commas_are_found(tmp_path: Path, separator: str, form: str) -> None:
    price = {"comma in quotes": "10,25", "1.234,56": "1.110,25", "volumes by thousands": "10,25"}[form]
    volume = "65095" if form == "comma in quotes" else "65.095"
    rows = ["Date,Open,High,Low,Close,Volume".replace(",", separator)]
    for minute in range(30, 60):
        fields = [f"2024-06-26 09:{minute}", price, price, price, price, volume]
        rows.append(separator.join(f'"{field}"' for field in fields))
    (tmp_path / "ACME.csv").write_text("\n".join(rows))
    guess = sniff_csv(ImportSource(tmp_path / "ACME.csv", symbol="ACME"), NEW_YORK)
    store = BarStore.open_or_create(tmp_path / "store")
    import_csv_as([tmp_path / "ACME.csv"], store, guess.reading)

    assert found(guess)["decimal sign"] == "comma"
    first = store.read(["ACME"], "1m", None, None).row(0, named=True)
    assert (first["close"], first["volume"]) == (1110.25 if form == "1.234,56" else 10.25, 65_095.0)


@pytest.mark.parametrize(
    ("names", "column", "confidence"),
    [
        ("TICKVOL,VOL", "TICKVOL", "likely"),
        ("VOL,TICKVOL", "TICKVOL", "likely"),
        ("Volume BTC,Volume USD", "Volume BTC", "unsure"),
        ("Stückzahl", "Stückzahl", "likely"),
        ("Umsatz (Stück)", "Umsatz (Stück)", "likely"),
        ("Wolumen", "Wolumen", "likely"),
        ("Umsatz", "Umsatz", "unsure"),
    ],
)
def test_the_volume_is_one_that_is_there(tmp_path: Path, names: str, column: str, confidence: str) -> None:
    rows = [f"Date,Open,High,Low,Close,{names}"]
    values = ",".join("0" if name == "VOL" else "7" for name in names.split(","))
    rows += [f"2024-06-26 09:{minute},10,11,9,10,{values}" for minute in range(30, 60)]
    (tmp_path / "ACME.csv").write_text("\n".join(rows))
    guess = sniff_csv(ImportSource(tmp_path / "ACME.csv", symbol="ACME"), NEW_YORK)

    (detection,) = (f for f in guess.detections if f.what == "volume column")
    assert (detection.value, detection.confidence) == (column, confidence)
    assert guess.preview["volume"].to_list() == [7.0] * 5


def test_the_label_is_told_by_where_sessions_begin(tmp_path: Path) -> None:
    def label(late: int, given: Given = NEW_YORK) -> tuple[str, str, bool]:
        detection = sniff_csv(write(tmp_path, times(late=timedelta(minutes=late))), given).detections[-2]
        assert detection.what == "label"
        return detection.value, detection.why, detection.is_guess

    assert label(0) == ("start", "3 of 3 sessions of XNYS begin at the open", False)
    assert label(1) == ("end", "3 of 3 sessions of XNYS begin one interval after the open", True)
    assert label(7)[0] == "start"
    assert "assumed: the first rows do not show it by the sessions of XNYS" in label(7)[1]
    assert label(0, Given(timezone="Europe/London", exchange="XLON"))[1].startswith("assumed")


def test_the_label_is_told_by_the_opening_volume_where_bars_come_before_the_open(tmp_path: Path) -> None:
    for opening, expected in ((9 * 60 + 30, "start"), (9 * 60 + 31, "end")):
        when = [day + timedelta(minutes=m) for day in SESSIONS for m in range(9 * 60, 10 * 60)]
        source = write(tmp_path, when)
        volume = [50_000.0 if t.hour * 60 + t.minute == opening else 100.0 for t in when]
        pl.read_csv(source.path).with_columns(volume=pl.Series(volume)).write_csv(source.path)

        assert sniff_csv(source, NEW_YORK).reading.label == expected


@pytest.mark.parametrize(
    "symbol", ["IBM", *(pytest.param(symbol, marks=pytest.mark.long) for symbol in ("SPY", "AIG", "BAC"))]
)
def test_the_label_of_real_bars_with_early_trading(tmp_path: Path, minute_store: Path, symbol: str) -> None:
    bars = BarStore.open(minute_store).read([symbol], "1m", None, None).drop("symbol")
    for late, label in ((0, "start"), (1, "end")):
        local = (pl.col("timestamp") + pl.duration(minutes=late)).dt.convert_time_zone("America/New_York")
        path = tmp_path / f"{symbol}.csv"
        bars.with_columns(local.dt.strftime("%Y-%m-%d %H:%M").alias("timestamp")).write_csv(path)

        assert sniff_csv(ImportSource(path, symbol=symbol), NEW_YORK).reading.label == label


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("exchange", "stamped", "told"),
    [
        ("CRYPTO", "start", None),
        ("CRYPTO", "end", None),
        *((e, s, s) for e in ("FX", "CMES") for s in ("start", "end")),
    ],
)
def test_where_one_session_begins_as_the_other_ends_chance_is_no_reason(
    exchange: str, stamped: str, told: str | None, seed: int
) -> None:
    """The label shows after a weekend; where there is none, nothing tells it, and least of all the volume."""
    tm = TimeManager(exchange)
    days = tm.sessions(date(2024, 3, 1), date(2024, 3, 29))
    starts = np.concatenate([tm.expected_bar_times("1m", day)[0] for day in days])
    volume = np.random.default_rng(seed).lognormal(5, 1, len(starts))
    label, detection = sniff_label(starts + MINUTE_NS * (stamped == "end"), volume, MINUTE_NS, tm)

    assert label == (told or "start")
    assert detection.why.startswith("assumed") == (told is None)
    assert detection.confidence == {"end": "certain", "start": "plain", None: "assumed"}[told]


def test_sessions_without_trades_at_the_open_do_not_make_the_label_the_end(tmp_path: Path) -> None:
    when = [t for t in times() if t.date() == SESSIONS[0].date() or t.minute > 30]

    assert sniff_csv(write(tmp_path, when), NEW_YORK).reading.label == "start"


def test_the_time_zone_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"naive timestamps \('2024-06-27 09:30' has no UTC offset\).*--timezone"):
        sniff_csv(write(tmp_path, times()), Given())
    assert sniff_csv(write(tmp_path, SESSIONS, "%Y-%m-%d"), Given()).preview.height == 3


def test_symbols_in_a_column_are_found(tmp_path: Path) -> None:
    source = write(tmp_path, times())
    frame = pl.read_csv(source.path)
    both = pl.concat([frame.with_columns(Ticker=pl.lit(s)) for s in ("AA", "BB")]).sort("timestamp", "Ticker")
    both.write_csv(source.path)
    guess = sniff_csv(source, NEW_YORK)

    assert (guess.reading.columns.symbol, str(guess.reading.interval)) == ("Ticker", "1m")
    assert guess.preview["symbol"].unique().to_list() in (["AA"], ["BB"])
    with pytest.raises(ConfigError, match=r"bars of 2 symbols \(AA, BB \.\.\.\), which cannot all be CC"):
        sniff_csv(source, Given(timezone="America/New_York", symbol="CC"))
    both.filter(pl.col("Ticker") == "AA").write_csv(source.path)
    one = sniff_csv(source, Given(timezone="America/New_York", symbol="CC"))
    assert one.reading.columns.symbol is None


def test_what_is_given_is_not_guessed(tmp_path: Path) -> None:
    source = write(tmp_path, times(late=timedelta(minutes=1)), columns={"close": "Last", "volume": "Other"})
    given = Given(CsvColumns(close="last", volume="none"), "1m", "%Y-%m-%d %H:%M", "UTC", "start", 1.0, ",", "X")
    guess = sniff_csv(source, given)

    assert guess.guessed == ()
    assert guess.preview["volume"].to_list() == [0.0] * 5


def test_a_header_that_is_given_is_no_guess(tmp_path: Path) -> None:
    source = write(tmp_path, times(), columns={"open": "1", "close": "2"})
    columns = CsvColumns("timestamp", "1", "high", "low", "2", "volume")
    named = sniff_csv(source, Given(columns, timezone="America/New_York", has_header=True))
    bare = sniff_csv(write(tmp_path, times(), include_header=False), replace(NEW_YORK, has_header=False))

    assert named.preview["open"].to_list() == bare.preview["open"].to_list()
    assert not {"header"} & {f.what for f in (*named.guessed, *bare.guessed)}
    assert (found(named)["header"], found(bare)["header"]) == ("line 1", "none")


def test_a_decimal_sign_that_is_given_is_no_guess(tmp_path: Path) -> None:
    source = write(tmp_path, times(), separator=";", decimal_comma=True)
    guess = sniff_csv(source, replace(NEW_YORK, separator=";", decimal_comma=True))

    assert guess.preview["open"][0] == 180.0
    assert "decimal sign" not in {f.what for f in guess.guessed}
    point = sniff_csv(write(tmp_path, times(), separator=";"), replace(NEW_YORK, decimal_comma=False))
    assert point.preview["close"].to_list() == guess.preview["close"].to_list()
    with pytest.raises(ConfigError, match="both the separator and the decimal sign"):
        sniff_csv(source, Given(separator=",", decimal_comma=True))


def test_names_of_a_vendor_with_money_signs_and_thousands(tmp_path: Path) -> None:
    path = tmp_path / "HistoricalData.csv"
    lines = ["Date,Close/Last,Volume,Open,High,Low"]
    lines += [f'0{m}/{d}/2024,$1{d}.50,"1,234,{d}0",$1{d}.00,$1{d}.75,$1{d}.00' for m in (6, 7) for d in range(10, 28)]
    path.write_text("\n".join(lines))
    guess = sniff_csv(ImportSource(path, symbol="ACME"), Given())

    assert guess.preview.row(0) == (
        "ACME",
        datetime(2024, 6, 10, tzinfo=UTC),
        110.0,
        110.75,
        110.0,
        110.5,
        1_234_100.0,
    )


@pytest.mark.parametrize("typed", ["aware", "naive", "date", "text", "number"])
def test_parquet_of_any_time_type(tmp_path: Path, typed: str) -> None:
    local = times(timedelta(days=1), count=1) if typed == "date" else times()
    aware = [t.replace(tzinfo=ZoneInfo("America/New_York")) for t in local]
    column = {
        "aware": pl.Series(aware),
        "naive": pl.Series(local),
        "date": pl.Series([t.date() for t in local]),
        "text": pl.Series([f"{t:%Y-%m-%d %H:%M}" for t in local]),
        "number": pl.Series([int(t.timestamp() * 1000) for t in aware]),
    }[typed]
    path = tmp_path / "ACME.parquet"
    pl.DataFrame({"ts": column, **prices(len(local)), "tags": [["a"]] * len(local)}).write_parquet(path)
    given = NEW_YORK if typed in ("naive", "text") else Given()
    guess = sniff_frame(parquet_table(ImportSource(path, symbol="ACME")), given)

    assert str(guess.reading.interval) == ("1d" if typed == "date" else "1m")
    expected = datetime(2024, 6, 27, tzinfo=UTC) if typed == "date" else datetime(2024, 6, 27, 13, 30, tzinfo=UTC)
    assert guess.preview["timestamp"][0] == expected


def test_numbers_that_are_no_volume_are_named(tmp_path: Path) -> None:
    rows = ["Date,Open,High,Low,Close,Kennung,Schnitt,Art"]
    rows += [f"2024-06-26 09:{minute},10,11,9,10,{minute},10.5,x" for minute in range(30, 60)]
    (tmp_path / "ACME.csv").write_text("\n".join(rows))

    (detection,) = (
        f
        for f in sniff_csv(ImportSource(tmp_path / "ACME.csv", symbol="ACME"), NEW_YORK).detections
        if f.what == "volume column"
    )
    assert detection.value == "none"
    assert detection.why == (
        "no column looks like one; volumes will be 0. Numbers without a use: Kennung, Schnitt; if one is the volume, "
        "say --volume-column Kennung"
    )


BARS = "10,11,9,10.5,100"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"x\.csv is empty\."),
        ("a\0b\n", r"is not a text file\. For Parquet use"),
        ("one line of prose\nand another\n", r"no columns for time, open, high, low and close.*--separator"),
        (
            f"timestamp,open,high,low,close,volume\nlate June 24,{BARS}\n",
            r"written in no known way",
        ),
        (f"timestamp,open,high,low,close,volume\n45470.5,{BARS}\n", "look like Excel's day numbers"),
        (f"timestamp,open,high,low,close,volume\n,{BARS}\n", "the time column is empty"),
        ("timestamp,open,high,low,close,volume\n", "has no rows of bars below its header"),
        (f"timestamp,open,high,low,close,volume\n2024-06-27T09:30Z,{BARS}\n", "one bar does not show its interval"),
        ("timestamp,open,low,close,volume\n2024-06-27,10,9,10.5,100\n", r"looks like the high.*--high-column NAME"),
        ("Date,Close\n2024-06-26,10\n2024-06-27,11\n", "it has Date, Close. A bar has an open, a high, a low and a"),
        ("Date;AAA;BBB\n26.06.2024;10,5;1\n27.06.2024;1,5;2\n", "it has Date, AAA, BBB. A bar has an open"),
        ("Date,A,B,C,D,E\n2024-06-26,1,2,3,4,5\n2024-06-27,1,2,3,4,5\n", "of a table of closes alone"),
        (f"when,open,high,low,close,volume\nnever,{BARS}\n", r"looks like the time.*--time-column NAME"),
    ],
)
def test_what_cannot_be_guessed_is_told_with_the_remedy(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content)

    with pytest.raises((ConfigError, BadBarsError)) as told:
        sniff_csv(ImportSource(path, symbol="X"), Given())
    assert re.search(message, str(told.value)), str(told.value)


def test_a_column_that_is_named_and_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no column Kurs for the close\. The file has timestamp, open"):
        sniff_csv(write(tmp_path, times()), Given(CsvColumns(close="Kurs")))


@pytest.mark.parametrize(("given", "asked"), [("end", True), ("start", False), (None, False)])
def test_a_label_that_the_sessions_contradict_is_asked_about(tmp_path: Path, given: Any, asked: bool) -> None:
    guess = sniff_csv(write(tmp_path, times()), replace(NEW_YORK, label=given))

    assert any("is --label end right?" in warning for warning in guess.warnings) == asked


@pytest.mark.parametrize(
    ("step", "interval", "warned"),
    [(5, "1m", "30 bars are 5m apart"), (5, "5m", None), (1, "1m", None)],
)
def test_an_interval_that_bars_lie_too_far_apart_for_is_asked_about(
    tmp_path: Path, step: int, interval: str, warned: str | None
) -> None:
    source = write(tmp_path, times(timedelta(minutes=step), count=10))
    warnings = sniff_csv(source, replace(NEW_YORK, interval=interval)).warnings

    assert [w for w in warnings if warned and warned in w] if warned else not warnings


def test_bars_between_those_of_the_session_are_asked_about(tmp_path: Path) -> None:
    """The first hour of Interactive Brokers lasts from 09:30 to 10:00."""
    hours = [
        time
        for day in SESSIONS
        for time in (day.replace(hour=9, minute=30), *(day.replace(hour=h) for h in range(10, 16)))
    ]
    (warning,) = sniff_csv(write(tmp_path, hours), replace(NEW_YORK, interval="60m")).warnings

    assert "18 of the first 21 bars do not begin at a multiple of 60m from the open of XNYS" in warning
    assert "reads none of these bars" in warning


@pytest.mark.parametrize("interval", ["5m", "60m"])
def test_bars_that_overlap_by_the_interval_that_is_given_are_refused(tmp_path: Path, interval: str) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    source = write(tmp_path, times())

    with pytest.raises(ConfigError, match=f"its bars are a minute apart, so that they overlap as bars of {interval}"):
        import_csv([source.path], store, interval=interval, timezone="America/New_York")
    assert store.symbols() == ()


def test_bars_of_one_time_of_day_that_are_said_to_be_hours_are_asked_about(tmp_path: Path) -> None:
    days = [datetime(2024, 5, 1, 9, 30) + timedelta(days=n) for n in range(40)]
    guess = sniff_csv(write(tmp_path, days), replace(NEW_YORK, interval="60m"))

    assert any("are 1d apart: are they bars of 1d" in warning for warning in guess.warnings)
