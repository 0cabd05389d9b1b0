"""Files in the layouts of many vendors and countries come to the bars that they say, or to a refusal that helps."""

# ruff: noqa: DTZ001  files have local times without an offset

from __future__ import annotations

import gzip
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from openbell.errors import BadBarsError, ConfigError, IntervalError, OpenbellError
from openbell.importers.times.epochs import read_epochs
from openbell.timing import TimeManager
from read_files import guess_of, imported, table

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.store.store import BarStore

pytestmark = pytest.mark.long

OPEN = datetime(2024, 5, 1, 13, 30, tzinfo=UTC)
NY = "America/New_York"
MINUTES = [OPEN + timedelta(minutes=i) for i in range(60)]
LOCAL = [m - timedelta(hours=4) for m in MINUTES]
DAYS = [date(2024, 5, 1) + timedelta(days=i) for i in range(30) if (date(2024, 5, 1) + timedelta(days=i)).weekday() < 5]


def first_and_last(store: BarStore, symbol: str = "X", interval: str = "1m") -> tuple[datetime, datetime]:
    times = store.read([symbol], interval, None, None)["timestamp"].sort()
    return times[0], times[-1]


def write(folder: Path, text: str | bytes, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S+00", "%Y-%m-%dT%H:%M:%S+0000", "%Y-%m-%d %H:%M:%S UTC", "%Y%m%d %H:%M:%S UTC",
        "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00[UTC]", "%a %b %d %Y %H:%M:%S GMT+0000 (UTC)",
        "%d.%m.%Y %H:%M:%S.000 GMT+0000",
    ],
)  # fmt: skip
def test_offsets_in_the_ways_they_are_written(tmp_path: Path, form: str) -> None:
    times = [*MINUTES, *(m + timedelta(days=13) for m in MINUTES)]
    store, report = imported(write(tmp_path, table(*(f"{m:{form}}" for m in times))), exchange="XNYS")

    assert (report.written.added, first_and_last(store)) == (120, (OPEN, times[-1]))


@pytest.mark.parametrize(
    ("form", "zone"),
    [
        ("%Y%m%d %H:%M:%S {}", "US/Eastern"), ("%Y%m%d-%H:%M:%S {}", "America/New_York"),
        ("%Y-%m-%d %H:%M:%S {}", "EDT"), ("%Y-%m-%d %H:%M:%S {}", "ET"), ("%m/%d/%Y %I:%M %p {}", "EDT"),
        ("%Y-%m-%dT%H:%M:%S-04:00[{}]", "America/New_York"), ("%Y-%m-%d %H:%M:%S-04", ""),
    ],
)  # fmt: skip
def test_names_of_zones_beside_the_times(tmp_path: Path, form: str, zone: str) -> None:
    days = [datetime(2024, 5, d, 9, 30) + timedelta(minutes=i) for d in (1, 2, 14) for i in range(30)]
    store, report = imported(write(tmp_path, table(*(f"{t:{form}}".format(zone) for t in days))))

    assert (report.written.added, first_and_last(store)[0]) == (90, OPEN)


def test_a_name_that_several_zones_have_needs_the_time_zone(tmp_path: Path) -> None:
    chicago = [f"{m - timedelta(hours=5):%Y-%m-%d %H:%M:%S} CDT" for m in MINUTES]
    winter = [f"2024-01-02 08:{m} CST" for m in range(30, 60)]

    assert imported(write(tmp_path, table(*chicago)))[1].written.added == 60
    with pytest.raises(ConfigError, match=r"the time zone 'CST' beside them.*--timezone America/Chicago"):
        guess_of(write(tmp_path, table(*winter), "y.csv"))
    store, _ = imported(tmp_path / "y.csv", timezone="America/Chicago")
    assert first_and_last(store, "Y")[0] == datetime(2024, 1, 2, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "form",
    [
        "%d-%b-%Y %H:%M", "%d %B %Y %H:%M", "%b %d, %Y %H:%M", "%A, %B %d, %Y %I:%M %p", "%d-%b-%y %H:%M:%S",
        "%Y.%m.%d %H:%M", "%m/%d/%Y %I:%M%p", "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d, %H:%M", "%d%b%Y %H:%M",
    ],
)  # fmt: skip
def test_names_of_months_and_hours_of_twelve(tmp_path: Path, form: str) -> None:
    rows = [f'"{t:{form}}"' for t in LOCAL] + [f'"{t + timedelta(days=13):{form}}"' for t in LOCAL]
    store, report = imported(write(tmp_path, table(*rows)), timezone=NY)

    assert (report.written.added, first_and_last(store)[0]) == (120, OPEN)


@pytest.mark.parametrize(
    ("months", "form"),
    [
        ({4: "Apr", 5: "Mai", 6: "Jun"}, "{d} {m} {y}"), ({4: "avr.", 5: "mai", 6: "juin"}, "{d} {m} {y}"),
        ({4: "abr", 5: "may", 6: "jun"}, "{d}-{m}-{y}"), ({4: "ABRIL", 5: "MAIO", 6: "JUNHO"}, "{d}-{m}-{y}"),
        ({4: "April", 5: "May", 6: "June"}, "{m} {d} {y}"),
    ],
)  # fmt: skip
def test_months_of_other_languages(tmp_path: Path, months: dict[int, str], form: str) -> None:
    days = [date(2024, 4, 25) + timedelta(days=i) for i in range(50)]
    rows = [form.format(d=f"{d.day:02}", m=months[d.month], y=d.year) for d in days if d.weekday() < 5]
    store, report = imported(write(tmp_path, table(*rows)))

    assert report.set_aside == 0
    assert first_and_last(store, interval="1d")[0] == datetime(2024, 4, 25, tzinfo=UTC)


@pytest.mark.parametrize("hour", ["%I-%p", "%I %p", "%I%p", "%I:%M %p"])
def test_hours_with_am_and_pm_in_any_order(tmp_path: Path, hour: str) -> None:
    first = datetime(2020, 11, 18)
    rows = [f"{first + timedelta(hours=h):%Y-%m-%d {hour}}" for h in range(72)][::-1]
    store, report = imported(write(tmp_path, "https://example.org\n" + table(*rows)), timezone="UTC", exchange="CRYPTO")

    assert report.written.added == 72
    assert first_and_last(store, interval="60m") == (
        datetime(2020, 11, 18, tzinfo=UTC), datetime(2020, 11, 20, 23, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize("clock", ["Uhrzeit", "Hora", "TimeBarStart", "ticktime", "Heure", "x", "kl"])
@pytest.mark.parametrize("form", ["%H:%M", "%H:%M:%S", "%I:%M %p"])
def test_a_clock_of_any_name_beside_dates(tmp_path: Path, clock: str, form: str) -> None:
    rows = [f"{t:%Y-%m-%d},{t:{form}}" for t in LOCAL]
    path = write(tmp_path, table(*rows, header=f"Datum,{clock},open,high,low,close,volume"))
    store, report = imported(path, timezone=NY)

    assert (report.written.added, first_and_last(store)[0]) == (60, OPEN)


def test_hours_and_minutes_in_columns_of_their_own_are_refused(tmp_path: Path) -> None:
    rows = [
        f"2024-05-0{d},{9 + (30 + i) // 60},{(30 + i) % 60},10,11,9,10,5" for d in (1, 2) for i in range(0, 390, 60)
    ]
    path = write(tmp_path, "\n".join(["Date,Hour,Minute,Open,High,Low,Close,Volume", *rows]))

    with pytest.raises(ConfigError, match="hours are in the column Hour and minutes in Minute"):
        guess_of(path, timezone=NY)


def test_midnight_as_the_end_of_a_day(tmp_path: Path) -> None:
    ends = [datetime(2024, 5, 1, 23) + timedelta(minutes=i + 1) for i in range(120)]
    rows = [
        f"{t - timedelta(days=1):%Y-%m-%d} 24:00" if not (t.hour or t.minute) else f"{t:%Y-%m-%d %H:%M}" for t in ends
    ]
    store, report = imported(write(tmp_path, table(*rows)), timezone="UTC", label="end", exchange="CRYPTO")

    assert (report.written.added, report.set_aside) == (120, 0)
    assert first_and_last(store) == (datetime(2024, 5, 1, 23, tzinfo=UTC), datetime(2024, 5, 2, 0, 59, tzinfo=UTC))


@pytest.mark.parametrize("early", ["59", "59.999", "59.999999"])
def test_closes_stamped_a_moment_early(tmp_path: Path, early: str) -> None:
    rows = [f"{t:%Y-%m-%d %H:%M}:{early}" for t in LOCAL]
    guess = guess_of(write(tmp_path, table(*rows)), timezone=NY)
    store, report = imported(tmp_path / "x.csv", timezone=NY)

    assert (guess.reading.label, report.set_aside) == ("end", 0)
    assert first_and_last(store) == (OPEN, MINUTES[-1])


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("minutes", [1, 60])
def test_the_repeated_hour_is_told_by_the_order_of_the_file(tmp_path: Path, step: int, minutes: int) -> None:
    instants = [datetime(2024, 11, 3, 3, tzinfo=UTC) + timedelta(minutes=minutes * i) for i in range(300 // minutes)]
    shift = [timedelta(hours=4 if t.hour < 6 else 5) for t in instants]
    rows = [f"{t - s:%Y-%m-%d %H:%M}" for t, s in zip(instants, shift, strict=True)][::step]
    store, report = imported(write(tmp_path, table(*rows)), timezone=NY, exchange="CRYPTO")
    interval = "1m" if minutes == 1 else "60m"

    assert report.set_aside == 0
    assert store.read(["X"], interval, None, None)["timestamp"].to_list() == instants


def test_the_repeated_hour_of_two_symbols_side_by_side(tmp_path: Path) -> None:
    instants = [datetime(2024, 11, 3, 4, 30, tzinfo=UTC) + timedelta(minutes=i) for i in range(240)]
    lines = ["time,ticker,open,high,low,close,volume"]
    for t in instants:
        local = t - timedelta(hours=4 if t.hour < 6 else 5)
        lines += [f"{local:%Y-%m-%d %H:%M},{s},10,11,9,10,5" for s in ("AA", "BB")]
    store, report = imported(write(tmp_path, "\n".join(lines)), timezone=NY, exchange="CRYPTO")

    assert report.set_aside == 0
    assert all(store.read([s], "1m", None, None)["timestamp"].to_list() == instants for s in ("AA", "BB"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("350.5k", 350_500), ("350.5K", 350_500), ("1.2M", 1_200_000), ("2B", 2e9), ("1.5 Mio", 1.5e6), ("(12)", None),
        ('"1,234,567"', 1_234_567), ('"12,34,567"', 1_234_567), ("1'234", 1234), ("1 234", 1234), ("$1200", 1200),
        ("₹1200", 1200), ("1200 USD", 1200), ("R$ 1200", 1200), ("€1200", 1200),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(tmp_path: Path, text: str, value: float | None) -> None:
    rows = ["Date,Open,High,Low,Close,Volume", *(f"{d},170,171,169,170.5,{text}" for d in DAYS)]
    path = write(tmp_path, "\n".join(rows))
    if value is None:
        with pytest.raises(OpenbellError, match="the volume is negative"):
            imported(path)
        return
    store, report = imported(path)

    assert report.set_aside == 0
    assert store.read(["X"], "1d", None, None)["volume"][0] == value


@pytest.mark.parametrize("price", ["₹1,170.50", "$1170.50", "1170.50 EUR", "1'170.50", "CHF 1170.50", "1,170.50"])
def test_prices_with_signs_of_currencies(tmp_path: Path, price: str) -> None:
    rows = ["Date;Open;High;Low;Close;Volume", *(f"{d};{price};{price};{price};{price};5" for d in DAYS)]
    store, report = imported(write(tmp_path, "\n".join(rows)))

    assert report.set_aside == 0
    assert store.read(["X"], "1d", None, None)["close"][0] == 1170.5


FIELDS = ("Close", "High", "Low", "Open", "Volume")
BY_FIELD = "Price," + ",".join(f"{f},{f}" for f in FIELDS)
EMPTY = "," * 10
WIDE = {
    "fields first": [BY_FIELD, "Ticker" + ",AAA,BBB" * 5, "Date" + EMPTY],
    "no names": [BY_FIELD.removeprefix("Price"), ",AAA,BBB" * 5, "Date" + EMPTY],
    "no index name": [BY_FIELD, "Ticker" + ",AAA,BBB" * 5],
    "attributes": [BY_FIELD.replace("Price", "Attributes"), "Symbols" + ",AAA,BBB" * 5, "Date" + EMPTY],
    "short tickers": [BY_FIELD, "Ticker" + ",LOW,C" * 5, "Date" + EMPTY],
    "numbers as tickers": [BY_FIELD, "Ticker" + ",005930,000660" * 5, "Date" + EMPTY],
    "one line": ["Date," + ",".join(f"{f}_{s}" for f in FIELDS for s in ("AAA", "BBB"))],
    "tuples": ["Date," + ",".join(f"\"('{f}', '{s}')\"" for f in FIELDS for s in ("AAA", "BBB"))],
    "symbol first": ["Date," + ",".join(f"{s}.{f}" for f in FIELDS for s in ("AAA", "BBB"))],
}


@pytest.mark.parametrize("shape", WIDE)
def test_columns_of_each_symbol(tmp_path: Path, shape: str) -> None:
    names = {"short tickers": ("LOW", "C"), "numbers as tickers": ("005930", "000660")}.get(shape, ("AAA", "BBB"))
    rows = [f"{d},171,401,172,402,169,399,170,400,1000,2000" for d in DAYS]
    rows[3] = f"{DAYS[3]},171,,172,,169,,170,,1000,"
    store, report = imported(write(tmp_path, "\n".join([*WIDE[shape], *rows])))

    assert (report.set_aside, store.symbols()) == (0, tuple(sorted(names)))
    first, other = (store.read([name], "1d", None, None) for name in names)
    assert (first.height, other.height) == (len(DAYS), len(DAYS) - 1)
    assert first.row(0)[2:] == (170, 172, 169, 171, 1000)
    assert other.row(0)[2:] == (400, 402, 399, 401, 2000)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_columns_of_one_symbol_in_a_header_of_three_lines(tmp_path: Path, separator: str) -> None:
    head = ["Price,Adj Close,Close,High,Low,Open,Volume", "Ticker" + ",AAA" * 6, "Date" + "," * 6]
    rows = [f"{d},160,171,172,169,170,1000" for d in DAYS[:4]]
    store, report = imported(write(tmp_path, "\n".join([*head, *rows]).replace(",", separator)))

    assert (report.set_aside, store.symbols()) == (0, ("AAA",))
    assert store.read(["AAA"], "1d", None, None)["close"].to_list() == [171.0] * 4


def test_several_symbols_cannot_all_be_called_the_same(tmp_path: Path) -> None:
    path = write(
        tmp_path, "\n".join([*WIDE["fields first"], *(f"{d},171,401,172,402,169,399,170,400,1,2" for d in DAYS)])
    )

    with pytest.raises(ConfigError, match="bars of 2 symbols"):
        guess_of(path, symbol="X")


VOLUMES = [
    ("Data;Abertura;Máximo;Mínimo;Fechamento;Volume;Quantidade", "{o};{h};{l};{c};{money};{shares}"),
    ("Date;Open;High;Low;Close;Turnover;Volume", "{o};{h};{l};{c};{money};{shares}"),
    ("日期;开盘;收盘;最高;最低;成交量;成交额", "{o};{c};{h};{l};{shares};{money}"),
    ("Date;Open;High;Low;Close;Volume USD;Volume BTC", "{o};{h};{l};{c};{money};{shares}"),
    ("SYMBOL;TIMESTAMP;OPEN;HIGH;LOW;CLOSE;TOTTRDQTY;TOTTRDVAL", "X;{d};{o};{h};{l};{c};{shares};{money}"),
    (
        "Date;Open Price;High Price;Low Price;Close Price;No.of Shares;Total Turnover (Rs.)",
        "{o};{h};{l};{c};{shares};{money}",
    ),
    ("Date;open;high;low;close;amount;vol", "{o};{h};{l};{c};{money};{shares}"),
    ("날짜;시가;고가;저가;종가;거래량;거래대금", "{o};{h};{l};{c};{shares};{money}"),
]


@pytest.mark.parametrize(("header", "form"), VOLUMES)
def test_the_volume_is_of_shares_and_not_of_money(tmp_path: Path, header: str, form: str) -> None:
    lines = [header]
    for i, day in enumerate(DAYS):
        close, shares = 171 + i % 3, 1000 + i
        values = {
            "o": 170 + i % 3,
            "h": 172 + i % 3,
            "l": 169 + i % 3,
            "c": close,
            "shares": shares,
            "money": close * shares,
        }
        row = form.format(d=day, **values)
        lines.append(row if "{d}" in form else f"{day};{row}")
    store, report = imported(write(tmp_path, "\n".join(lines)))

    assert report.set_aside == 0
    bars = store.read(["X"], "1d", None, None)
    assert (bars["close"][0], bars["volume"].to_list()) == (171, [1000.0 + i for i in range(len(DAYS))])


@pytest.mark.parametrize("names", ["Up,Down", "UpVol,DownVol", "Buy Volume,Sell Volume"])
def test_a_volume_in_two_columns_is_their_sum(tmp_path: Path, names: str) -> None:
    path = write(tmp_path, table(*map(str, DAYS), header=f"Date,Open,High,Low,Close,{names}").replace(",10", ",60,10"))
    store, _ = imported(path)
    given, _ = imported(path, symbol="Y", columns=guess_of(path).reading.columns)

    assert store.read(["X"], "1d", None, None)["volume"][0] == 60 + int(path.read_text().split("\n")[1].split(",")[-1])
    assert (
        given.read(["Y"], "1d", None, None)["volume"].to_list()
        == store.read(["X"], "1d", None, None)["volume"].to_list()
    )


ENCODINGS = [
    ("gbk", "日期,开盘,收盘,最高,最低,成交量"), ("gb18030", "日期,开盘价,收盘价,最高价,最低价,成交量"),
    ("big5", "日期,開盤價,收盤價,最高價,最低價,成交量"), ("shift_jis", "日付,始値,終値,高値,安値,出来高"),
    ("euc_kr", "날짜,시가,종가,고가,저가,거래량"), ("cp1251", "Дата,Открытие,Закрытие,Максимум,Минимум,Объем"),
    ("utf-16", "日期,开盘,收盘,最高,最低,成交量"), ("utf-8-sig", "日期,开盘,收盘,最高,最低,成交量"),
    ("cp1252", "Data,Abertura,Fechamento,Máximo,Mínimo,Volume"), ("utf-16-le", "Date,Open,Close,High,Low,Volume"),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "header"), ENCODINGS, ids=[e for e, _ in ENCODINGS])
def test_encodings_are_found_and_can_be_given(tmp_path: Path, encoding: str, header: str) -> None:
    text = "\r\n".join([header, *(f"{d},170,171,172,169,1000" for d in DAYS)])
    path = write(tmp_path, text.encode(encoding))
    store, report = imported(path)
    again, _ = imported(path, symbol="Y", encoding=encoding)

    assert report.set_aside == 0
    assert store.read(["X"], "1d", None, None).row(0)[2:] == (170, 172, 169, 171, 1000)
    assert again.read(["Y"], "1d", None, None).height == len(DAYS)


def test_an_encoding_that_is_none_or_not_the_files_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "日期,开盘,收盘,最高,最低,成交量\n".encode("gbk") + b"2024-05-01,1,1,1,1,1\n" * 3)

    for encoding in ("klingon", "undefined", "a\0b"):
        with pytest.raises(ConfigError, match="unknown encoding"):
            guess_of(path, encoding=encoding)
    with pytest.raises(ConfigError, match="unknown encoding 'base64'"):
        guess_of(path, encoding="base64")
    with pytest.raises(OSError, match="not encoded in utf-8"):
        guess_of(path, encoding="utf-8")


def test_lines_that_end_in_carriage_returns_alone(tmp_path: Path) -> None:
    store, report = imported(write(tmp_path, table(*map(str, DAYS)).replace("\n", "\r")))

    assert (report.written.added, report.set_aside) == (len(DAYS), 0)
    assert first_and_last(store, interval="1d")[0] == datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("packed", ["folder", "zip", "gz"])
def test_texts_are_tables_too(tmp_path: Path, packed: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    content = table(*map(str, DAYS))
    if packed == "zip":
        with zipfile.ZipFile(folder / "all.zip", "w") as archive:
            archive.writestr("a.txt", content)
            archive.writestr("b.txt", content)
            archive.writestr("readme.txt", "prose")
    for name in ("a", "b") if packed != "zip" else ():
        if packed == "gz":
            (folder / f"{name}.txt.gz").write_bytes(gzip.compress(content.encode()))
        else:
            write(folder, content, f"{name}.txt")
            write(folder, "prose about the data\n", "README.txt")
    store, report = imported(folder)

    assert (store.symbols(), report.failed) == (("A", "B"), [])


@pytest.mark.parametrize("line", ["# " + "x" * 200_000, "x" * 200_000 + ",1,2,3,4,5"])
def test_a_long_line_among_the_others(tmp_path: Path, line: str) -> None:
    above = table(*(f"{m:%Y-%m-%dT%H:%M:%SZ}" for m in MINUTES))
    first, _ = imported(write(tmp_path, f"{line}\n{above}"), interval="1m")
    _, report = imported(write(tmp_path, f"{above}{line}\n", "y.csv"), interval="1m")

    assert first.read(["X"], "1m", None, None).height == 60
    assert (report.written.added, report.set_aside) == (60, 1)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".zip"])
def test_a_line_without_end_is_no_table(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"x{ending}"
    content = b"x" * (40 << 20)
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.csv", content)
    else:
        path.write_bytes(gzip.compress(content, 1) if ending.endswith("gz") else content)

    with pytest.raises(OSError, match="a line is longer than 8 MB: this is not a table of bars"):
        guess_of(path)


def test_twenty_thousand_columns_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has 20,000 columns; no table of bars has more than"):
        guess_of(write(tmp_path, ",".join(f"c{i}" for i in range(20_000)) + "\n" + ",".join("1" * 20_000) + "\n"))


@pytest.mark.parametrize("separator", ["ab", "", "\n", '"', "§"])
def test_a_separator_that_is_none_is_refused(tmp_path: Path, separator: str) -> None:
    with pytest.raises(ConfigError, match=r"--separator .* is not valid. Use one character"):
        guess_of(write(tmp_path, table(*map(str, DAYS))), separator=separator)


def test_a_symbol_that_no_store_can_hold_is_set_aside(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    rows = [f"{d},AA,10,11,9,10,5" for d in DAYS] + [
        f"{d},{s},10,11,9,10,5" for d in DAYS[:1] for s in (long, "B\x1b[2J")
    ]
    store, report = imported(write(tmp_path, "\n".join(["date,ticker,open,high,low,close,volume", *rows])))

    assert (store.symbols(), report.set_aside) == (("AA",), 2)
    assert list(report.reasons) == ["the symbol is too long or cannot be printed"]


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_the_unit_of_times_since_1970_is_each_values(tmp_path: Path, unit: int) -> None:
    seconds = [int(m.timestamp()) for m in MINUTES]
    units = [1, 10**3, 10**6, 10**9]
    mixed = [s * (unit if i < 30 else units[i % 4]) for i, s in enumerate(seconds)]
    store, report = imported(write(tmp_path, table(*map(str, mixed))))

    assert report.set_aside == 0
    assert store.read(["X"], "1m", None, None)["timestamp"].to_list() == MINUTES


def test_later_files_may_count_in_another_unit(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for n, unit in enumerate((10**3, 10**6)):
        days = [
            int(datetime(2024, 12 + n if not n else 1, 1, tzinfo=UTC).replace(year=2024 + n).timestamp()) for _ in "1"
        ]
        rows = [str((days[0] + 86_400 * i) * unit) for i in range(28)]
        write(folder, table(*rows), f"{n}.csv")
    store, report = imported(folder, symbol="COIN", exchange="CRYPTO")

    assert (report.written.added, report.set_aside) == (56, 0)
    assert first_and_last(store, "COIN", "1d")[1] == datetime(2025, 1, 28, tzinfo=UTC)


def test_years_that_cannot_be_are_set_aside_and_never_wrapped(tmp_path: Path) -> None:
    good = [f"{m:%Y-%m-%dT%H:%M:%SZ}" for m in MINUTES]
    odd = ["9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "1677-01-01T00:00:00Z", "2263-01-01T00:00:00Z"]
    store, report = imported(write(tmp_path, table(*good, *odd)))
    epochs = read_epochs(pl.Series(["99999999999999999999", "4800000000", "1714570200", "nan", "-1e300", ""]))

    assert (report.written.added, report.set_aside) == (60, 4)
    assert first_and_last(store) == (OPEN, MINUTES[-1])
    assert epochs["timestamp"].null_count() == 5
    daily = [*(str(d) for d in DAYS), "9999-12-31", "1500-01-01"]
    assert imported(write(tmp_path, table(*daily), "d.csv"))[1].set_aside == 2


@pytest.mark.parametrize("first", [739_373, 2_460_310, 202_401, 45_292])
def test_numbers_of_days_are_no_seconds(tmp_path: Path, first: int) -> None:
    with pytest.raises(ConfigError, match=r"the times are numbers .* of no known kind.*export them as dates"):
        guess_of(write(tmp_path, table(*map(str, range(first, first + 20)))))


def test_days_before_1973_are_seconds(tmp_path: Path) -> None:
    guess = guess_of(write(tmp_path, table(*(str(day * 86_400) for day in range(100, 120)))))

    assert str(guess.reading.interval) == "1d"


def test_milliseconds_of_1970_are_no_seconds(tmp_path: Path) -> None:
    first = datetime(1966, 1, 3, tzinfo=UTC)
    days = [first + timedelta(days=i) for i in range(3000)]
    path = write(tmp_path, table(*(str(int(d.timestamp()) * 1000) for d in days)))
    store, report = imported(path, exchange="CRYPTO")
    late = write(tmp_path, table(*(str(int(d.timestamp()) * 1000) for d in days[1200:1600])), "y.csv")
    other, _ = imported(late, exchange="CRYPTO", time_format="epoch_ms")

    assert report.set_aside == 0
    assert store.read(["X"], "1d", None, None)["timestamp"].to_list() == days
    assert other.read(["Y"], "1d", None, None)["timestamp"].to_list()[:100] == days[1200:1300]


@pytest.mark.parametrize("price", [72_300, 138_000_000, 1_600_000_000, 2_400_123])
def test_prices_of_currencies_without_cents_stay(tmp_path: Path, price: int) -> None:
    rows = [f"{d},{price},{price + 100},{price - 100},{price},5" for d in DAYS]
    path = write(tmp_path, "\n".join(["Date,Open,High,Low,Close,Volume", *rows]))
    store, _ = imported(path)

    assert store.read(["X"], "1d", None, None)["close"][0] == price
    assert all(d.confidence in ("plain", "assumed") for d in guess_of(path).detections if d.what == "price scale")


DAILY = {
    "Kolkata": ("Asia/Kolkata", -5.5), "Tokyo": ("Asia/Tokyo", -9),
    "Sydney": ("Australia/Sydney", -10), "Seoul": ("Asia/Seoul", -9),
}  # fmt: skip


@pytest.mark.parametrize("city", DAILY)
@pytest.mark.parametrize("form", ["iso", "epoch", "offset"])
def test_days_stamped_at_a_midnight_elsewhere_need_the_zone(tmp_path: Path, city: str, form: str) -> None:
    zone, hours = DAILY[city]
    instants = [datetime(d.year, d.month, d.day, tzinfo=UTC) + timedelta(hours=hours) for d in DAYS]
    texts = {
        "iso": [f"{t:%Y-%m-%dT%H:%M:%SZ}" for t in instants],
        "epoch": [str(int(t.timestamp()) * 1000) for t in instants],
        "offset": [f"{t:%Y-%m-%d %H:%M:%S}+00:00" for t in instants],
    }[form]
    path = write(tmp_path, table(*texts))

    with pytest.raises(ConfigError, match="--timezone"):
        guess_of(path)
    store, report = imported(path, timezone=zone)
    assert (report.set_aside, first_and_last(store, interval="1d")[0]) == (0, datetime(2024, 5, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("exchange", "texts"),
    [
        ("XNYS", [f"{d}T13:30:00Z" for d in DAYS if d != date(2024, 5, 27)]),
        ("XNYS", [f"{d}T20:00:00Z" for d in DAYS if d != date(2024, 5, 27)]),
        ("XNYS", [f"{d}T04:00:00Z" for d in DAYS if d != date(2024, 5, 27)]),
        ("XNYS", [f"{d} 00:00:00-04:00" for d in DAYS]),
        ("XNYS", [f"{d - timedelta(days=1)} 20:00:00-04:00" for d in DAYS]),
        ("XNYS", [f"{d} 23:59:59" for d in DAYS]),
        ("CMES", [f"{d - timedelta(days=1)}T17:00:00-05:00" for d in DAYS]),
        ("CMES", [f"{d - timedelta(days=1)}T22:00:00Z" for d in DAYS]),
        ("XTKS", [f"{d - timedelta(days=1)}T15:00:00Z" for d in DAYS]),
        ("CRYPTO", [f"{d}T23:59:59.999Z" for d in DAYS]),
    ],
)
def test_days_have_the_date_of_their_session(tmp_path: Path, exchange: str, texts: list[str]) -> None:
    store, report = imported(write(tmp_path, table(*texts)), exchange=exchange)

    days = store.read(["X"], "1d", None, None)["timestamp"].dt.date().to_list()
    assert report.set_aside == 0
    assert days == [d for d in DAYS if len(texts) == len(DAYS) or d != date(2024, 5, 27)]


def test_a_day_without_a_session_is_set_aside_and_not_another_day(tmp_path: Path) -> None:
    """The 27th of May 2024 was a holiday, and the 25th a Saturday."""
    days = ["2024-05-20", "2024-05-21", "2024-05-22", "2024-05-23", "2024-05-25", "2024-05-27", "2024-05-28"]
    days += [f"2024-06-{d:02}" for d in (*range(3, 8), *range(10, 15), *range(17, 19), 20, 21)]
    store, report = imported(write(tmp_path, table(*(f"{day}T13:30:00Z" for day in days))))

    assert report.reasons == {"the calendar of XNYS has no session of this time": 2}
    stored = store.read(["X"], "1d", None, None)["timestamp"].dt.date().cast(str).to_list()
    assert stored == [day for day in days if day not in ("2024-05-25", "2024-05-27")]


@pytest.mark.parametrize("days", [7, 30, 91, 365])
@pytest.mark.parametrize("given", [{}, {"interval": "1d"}])
def test_bars_of_weeks_and_months_are_no_days(tmp_path: Path, days: int, given: dict[str, str]) -> None:
    rows = [str(date(2010, 1, 4) + timedelta(days=days * i)) for i in range(8)]
    path = write(tmp_path, table(*rows))

    with pytest.raises(
        (IntervalError, ConfigError), match=rf"its bars are {days} days apart \((week|month|quarter|year)ly"
    ):
        imported(path, **given)
    assert not list((tmp_path / "store").glob("bars/*"))


def test_a_later_file_of_weeks_fails_and_the_others_are_imported(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder, table(*map(str, DAYS)), "a.csv")
    write(folder, table(*(str(date(2024, 1, 1) + timedelta(days=7 * i)) for i in range(20))), "b.csv")
    store, report = imported(folder)

    assert (store.symbols(), [path.name for path, _ in report.failed]) == (("A",), ["b.csv"])


def test_a_later_file_of_which_no_row_can_be_used_fails(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder, table(*map(str, DAYS)), "a.csv")
    write(folder, table(*(f"{d:%d.%m.%Y}" for d in DAYS)), "b.csv")
    _, report = imported(folder)

    assert [(path.name, reason.split(":")[0]) for path, reason in report.failed] == [
        ("b.csv", "not one of its rows can be used")
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("stamped", ["start", "end"])
def test_nothing_is_certain_of_bars_around_the_clock(tmp_path: Path, seed: int, stamped: str) -> None:
    first = datetime(2025, 2, 3, tzinfo=UTC) + timedelta(minutes=stamped == "end")
    volume = np.random.default_rng(seed).lognormal(8, 1, 5 * 1440)
    rows = [f"{first + timedelta(minutes=i):%Y-%m-%dT%H:%M:%SZ},10,11,9,10,{v:.1f}" for i, v in enumerate(volume)]
    guess = guess_of(write(tmp_path, "\n".join(["time,open,high,low,close,volume", *rows])))

    (label,) = (d for d in guess.detections if d.what == "label")
    assert (label.value, label.confidence) == ("start", "assumed")


def test_the_name_of_the_column_is_the_label(tmp_path: Path) -> None:
    stamps = [f"{m:%Y-%m-%dT%H:%M:%SZ}" for m in MINUTES]
    for name, label in (("open_time", "start"), ("Close Time", "end")):
        guess = guess_of(
            write(tmp_path, table(*stamps, header=f"{name},open,high,low,close,volume")), exchange="CRYPTO"
        )
        assert guess.reading.label == label


def test_the_label_of_parts_of_sessions_is_said_to_be_assumed(tmp_path: Path) -> None:
    rows = [f"2024-05-{d:02} {10 + i // 60}:{i % 60:02}" for d in (1, 2, 3) for i in range(300)]
    guess = guess_of(write(tmp_path, table(*rows)), timezone=NY)

    assert [(d.what, d.value) for d in guess.assumed] == [("label", "start")]


@pytest.mark.parametrize("zone", [NY, "America/Los_Angeles", "Asia/Tokyo", "Europe/London"])
def test_a_wrong_time_zone_is_warned_of(tmp_path: Path, zone: str) -> None:
    rows = [f"2024-05-{d:02} {9 + (30 + i) // 60:02}:{(30 + i) % 60:02}" for d in (1, 2, 3) for i in range(390)]
    warnings = guess_of(write(tmp_path, table(*rows)), timezone=zone).warnings

    if zone == NY:
        assert warnings == ()
    elif zone == "America/Los_Angeles":
        assert "the bars of each session begin and end 3 h after open and close of XNYS" in warnings[0]
    else:
        assert "of the first 1,170 bars lie outside the sessions of XNYS" in warnings[0]
        assert f"is {zone} the time zone of the file" in warnings[0]


@pytest.mark.parametrize(("zone", "words"), [("America/Chicago", "1 h after"), ("America/Halifax", "1 h before")])
@pytest.mark.parametrize("end", [0, 1])
def test_a_time_zone_beside_the_right_one_is_warned_of(tmp_path: Path, zone: str, words: str, end: int) -> None:
    rows = [
        f"2024-05-{d:02} {9 + (30 + end + i) // 60:02}:{(30 + end + i) % 60:02}" for d in (1, 2, 3) for i in range(390)
    ]
    path = write(tmp_path, table(*rows[:-100]))

    assert (
        f"begin and end {words} open and close of XNYS: is {zone} the time zone"
        in guess_of(path, timezone=zone).warnings[0]
    )
    assert guess_of(path, timezone=NY).warnings == ()


def test_hours_before_and_after_the_session_are_no_wrong_time_zone(tmp_path: Path) -> None:
    rows = [f"2024-05-{d:02} {4 + i // 60:02}:{i % 60:02}" for d in (1, 2, 3) for i in range(960)]

    assert guess_of(write(tmp_path, table(*rows)), timezone=NY).warnings == ()


def test_dates_a_day_off_are_warned_of(tmp_path: Path) -> None:
    days = TimeManager("XNYS").sessions(date(2024, 1, 2), date(2024, 4, 30))

    assert guess_of(write(tmp_path, table(*map(str, days)))).warnings == ()
    off = table(*(str(d - timedelta(days=1)) for d in days))
    assert "daily bars are of days without a session of XNYS" in guess_of(write(tmp_path, off)).warnings[0]


def test_times_to_come_are_warned_of(tmp_path: Path) -> None:
    """Of years in two digits the century is not written: 68 is read as 2068."""
    path = write(tmp_path, table(*(f"{day:02}-May-68" for day in range(1, 29))))

    assert "28 of the first 28 bars are of times that have not come yet, up to 2068-05-28" in guess_of(path).warnings[0]


def test_a_file_without_volumes_says_how_it_is_read(tmp_path: Path) -> None:
    lines = [f"{day},170,172,169,171,-" for day in DAYS]
    with pytest.raises(BadBarsError, match=r"the volume is missing.*--volume-column none stores 0\.$"):
        imported(write(tmp_path, "\n".join(["date,open,high,low,close,volume", *lines])))


@pytest.mark.parametrize("allowed", [True, False])
def test_negative_prices_need_to_be_allowed(tmp_path: Path, allowed: bool) -> None:
    lines = ["time,open,high,low,close,volume"]
    lines += [
        f"{m:%Y-%m-%dT%H:%M:%SZ},{1 - i / 8},{1.25 - i / 8},{0.5 - i / 8},{0.75 - i / 8},5"
        for i, m in enumerate(MINUTES)
    ]
    path = write(tmp_path, "\n".join(lines))
    if allowed:
        store, report = imported(path, allow_negative=True)
        assert (report.written.added, report.set_aside) == (60, 0)
        assert store.read(["X"], "1m", None, None)["low"].min() == 0.5 - 59 / 8
        return
    with pytest.raises(ConfigError, match=r"rows have negative prices.*--allow-negative"):
        imported(path)
    assert not list((tmp_path / "store").glob("bars/*"))


def test_a_lone_negative_price_is_set_aside(tmp_path: Path) -> None:
    text = table(*(f"{m:%Y-%m-%dT%H:%M:%SZ}" for m in MINUTES))
    bad = f"{MINUTES[-1] + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ},10,11,-1,10,5\n"
    _, report = imported(write(tmp_path, text + bad))

    assert (report.written.added, report.set_aside, list(report.reasons)) == (60, 1, ["the low is negative"])
