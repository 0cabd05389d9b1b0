"""A whole store is checked: real data, damaged and foreign files, ranges, the report for people and for machines."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from how_many import examples
from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.cli.app import app
from openbell.errors import ConfigError
from openbell.importers.lean.lean import import_lean
from openbell.model.interval import DAY_NS, parse_interval
from openbell.pages.data_check import check_page
from openbell.quality import windows
from openbell.quality.checker import check_store
from openbell.quality.finding import KINDS, Finding
from openbell.quality.score import EXCUSING
from openbell.quality.splits import declared_splits
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.timing.grid import day_number
from pages.html_reading import Page
from quality.made import bars, without

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.quality.check_report import Report, SeriesReport


@pytest.fixture(scope="module")
def lean_report(lean_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    store = BarStore.open_or_create(tmp_path_factory.mktemp("check") / "store")
    import_lean(lean_dir, store)
    return check_store(store, declared={})


def of(report: Report, symbol: str, interval: str) -> SeriesReport:
    return next(one for one in report.series if (one.symbol, one.interval) == (symbol, interval))


def days(one: SeriesReport, kind: str) -> list[str]:
    from datetime import UTC, datetime

    return [f"{datetime.fromtimestamp(f.start_ns / 1e9, UTC):%Y-%m-%d}" for f in one.findings if f.kind == kind]


def openbell(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["data", "check", *arguments])


class TestRealData:
    """What is known of the real data from other sources."""

    @pytest.mark.parametrize(
        ("symbol", "expected"),
        [
            ("AIG", ["1998-08-03", "1999-08-02", "2000-07-31", "2009-07-01"]),
            ("BAC", ["2004-08-30"]),
            ("IBM", ["1999-05-27"]),
            ("IWM", ["2005-06-09"]),
            ("QQQ", ["2000-03-20"]),
            ("EEM", ["2005-06-09", "2008-07-24"]),
            ("SPY", []),
        ],
    )
    def test_the_splits_of_history_are_found_and_no_others(
        self, lean_report: Report, symbol: str, expected: list[str]
    ) -> None:
        assert days(of(lean_report, symbol, "1d"), "undeclared_split") == expected

    def test_they_are_those_of_the_factor_files(self, lean_dir: Path, tmp_path: Path, lean_report: Report) -> None:
        store = BarStore.open_or_create(tmp_path / "store")
        import_lean(lean_dir, store, symbols=["AIG", "BAC", "IBM"], intervals=["1d"])
        known = declared_splits(store)

        for symbol in ("AIG", "BAC", "IBM"):
            guessed = [date.fromisoformat(day) for day in days(of(lean_report, symbol, "1d"), "undeclared_split")]
            assert {day_number(day) for day in guessed} == known[symbol]
        assert not any("undeclared_split" in one.counts() for one in check_store(store).series)

    @pytest.mark.parametrize(("symbol", "missing"), [("QQQ", 1588), ("EEM", 602), ("SPY", 0), ("IWM", 0), ("AIG", 0)])
    def test_missing_days_are_counted(self, lean_report: Report, symbol: str, missing: int) -> None:
        one = of(lean_report, symbol, "1d")

        assert sum(f.bars for f in one.findings if f.kind == "missing_sessions") == missing == one.score.missing

    @pytest.mark.parametrize(("symbol", "missing"), [("AIG", 1), ("IBM", 2), ("SPY", 0), ("BAC", 0)])
    def test_missing_minutes_are_counted(self, lean_report: Report, symbol: str, missing: int) -> None:
        assert of(lean_report, symbol, "1m").score.missing == missing

    def test_seconds_without_trades_are_no_fault(self, lean_report: Report) -> None:
        for symbol in ("AIG", "IBM", "SPY", "BAC"):
            one = of(lean_report, symbol, "1s")
            assert "hole" not in one.counts()
            assert one.score.percent is not None
            assert one.score.percent > 99.99

    def test_days_agree_with_what_minutes_and_seconds_sum_to(self, lean_report: Report) -> None:
        """Within the tolerances: 0.1 % of high and low, 0.25 % of open and close, 75 to 105 % of the volume."""
        kinds = {kind for one in lean_report.series for kind in one.counts()}

        assert kinds.isdisjoint({"daily_price", "daily_volume", "outside_daily"})
        (near,) = (f for f in of(lean_report, "IBM", "1s").findings if f.kind == "daily_near")
        assert near.bars == 5
        assert "the open by up to 0.11 %, the high by up to 0.04 %" in near.text
        assert "daily_near" not in of(lean_report, "BAC", "1m").counts(), "they agree to the last digit"
        assert kinds.isdisjoint({"contradiction", "duplicate", "outside_hours", "wrong_time_zone", "stale"})

    def test_the_worst_comes_first(self, lean_report: Report) -> None:
        scores = [one.score.percent for one in lean_report.series if one.score.percent is not None]

        assert scores == sorted(scores)
        assert lean_report.series[0].symbol == "QQQ"

    def test_the_page_needs_nothing_but_itself(self, lean_report: Report) -> None:
        page = check_page(lean_report)

        assert Page(page).addresses() == []
        assert "https://" not in page
        assert page.count('<svg class="heat"') == sum(1 for one in lean_report.series if one.findings)
        assert page.count('<svg class="chart"') == sum(len(one.excerpts) for one in lean_report.series)
        assert "nan" not in re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL).lower().replace(
            "finance", ""
        )
        assert page.count("<svg") == page.count("</svg>")

    def test_all_of_it_is_json(self, lean_report: Report) -> None:
        told = json.loads(json.dumps(lean_report.as_json(), allow_nan=False))

        assert {f["kind"] for s in told["series"] for f in s["findings"]} <= set(KINDS)
        assert {f["severity"] for s in told["series"] for f in s["findings"]} <= {"note", "doubt", "serious"}


class TestFiles:
    def test_a_damaged_month_costs_only_itself(self, tmp_path: Path) -> None:
        path = made_store(tmp_path / "s", ["A", "B"], "2024-05-29", "2024-06-05", intervals=["1m"])
        (path / "bars/interval=1m/symbol=A/2024-05.parquet").write_bytes(b"nonsense")

        report = check_store(BarStore.open(path))

        damaged = of(report, "A", "1m")
        assert damaged.counts() == {"damaged_file": 1}
        assert damaged.score.percent == 50.0
        assert damaged.rows == 3 * 390
        assert of(report, "B", "1m").score.percent == 100.0

    def test_files_that_something_else_wrote_are_judged(self, tmp_path: Path) -> None:
        """Without a manifest the store takes what lies there: repetitions and contradictions included."""
        path = made_store(tmp_path / "s", ["A"], "2013-09-03", "2013-09-05", intervals=["1m"])
        frame = bars()
        wrong = frame[:2].with_columns(pl.col("high") * 0.5)
        foreign = pl.concat([without(frame, range(2)), wrong, frame[10:12]])
        foreign.write_parquet(path / "bars/interval=1m/symbol=A/2013-09.parquet")
        (path / "manifest.parquet").unlink()

        (one,) = check_store(BarStore.open(path)).series

        assert [f.bars for f in one.findings if f.kind in ("contradiction", "duplicate")] == [2, 2]

    @pytest.mark.parametrize(("stored", "told_of"), [("NEW", "OLD"), ("OLD", "NEW"), ("NEW", "NEW"), ("OLD", "OLD")])
    def test_a_split_is_declared_under_whatever_name_it_had(self, stored: str, told_of: str, tmp_path: Path) -> None:
        """A split in November; the rename lies after it when it is told of the old name, else before it."""
        ex_date = date(2013, 11, 15)
        renamed = date(2013, 12, 2) if told_of == "OLD" else date(2013, 10, 1)
        later = (pl.col("timestamp").dt.date() >= ex_date) + 1
        halved = [(pl.col(name) / later).alias(name) for name in ("open", "high", "low", "close")]
        store = BarStore.open_or_create(tmp_path / "s")
        store.write(stored, "1d", bars("1d", 80).with_columns(*halved, pl.col("volume") * later))
        found = [check_store(store).series[0].counts()]
        for events in (actions((told_of, ex_date, "split", 2)), actions(("OLD", renamed, "rename", "NEW"))):
            ActionStore(store.path).write(events)
            found.append(check_store(store).series[0].counts())

        assert found == [{"undeclared_split": 1}, {} if stored == told_of else {"undeclared_split": 1}, {}]

    def test_the_split_of_another_that_had_the_name_before_is_not_this_one(self, tmp_path: Path) -> None:
        """A became B in September; what was called A in November is something else."""
        store = BarStore.open_or_create(tmp_path / "s")
        store.write("B", "1d", bars("1d", 80))
        rename, split = ("A", date(2013, 9, 6), "rename", "B"), ("A", date(2013, 11, 15), "split", 2)
        ActionStore(store.path).write(actions(rename, split))

        assert declared_splits(store) == {}

    @pytest.mark.parametrize("row", [1, 20, 195, 369, 388])
    def test_what_is_found_at_either_end_has_its_chart(self, row: int, tmp_path: Path) -> None:
        frame = bars(sessions=1)
        leap = pl.when(pl.int_range(pl.len()) == row).then(pl.col("high") * 1.1).otherwise(pl.col("high"))
        store = BarStore.open_or_create(tmp_path / "s")
        store.write("A", "1m", frame.with_columns(leap.alias("high")))

        report = check_store(store)

        (excerpt,) = report.series[0].excerpts
        assert (excerpt.finding.kind, len(excerpt.bars)) == ("spike", min(390, row + 31) - max(0, row - 30))
        assert re.search(r"(9.9|10.0|10.1) % away from both neighbours", check_page(report))

    def test_a_range_of_days_is_checked_by_itself(self, tmp_path: Path) -> None:
        path = made_store(tmp_path / "s", ["A"], "2024-05-29", "2024-06-05")

        report = check_store(BarStore.open(path), first=date(2024, 5, 30), last=date(2024, 5, 31))

        assert {one.interval: one.rows for one in report.series} == {"1d": 2, "1m": 780}

    def test_one_symbol_is_compared_with_the_others_of_the_store(self, tmp_path: Path) -> None:
        def keep(symbol: str, interval: str, ns: int) -> bool:
            return symbol != "A" or not 100 <= (ns // 60_000_000_000) % 1440 - 13 * 60 - 30 < 120

        path = made_store(tmp_path / "s", ["A", "B", "C"], "2024-05-29", "2024-06-05", intervals=["1m"], keep=keep)

        (one,) = check_store(BarStore.open(path), symbols=["A"]).series

        assert {f.kind for f in one.findings} == {"hole"}
        assert all("while other symbols traded" in f.text for f in one.findings)

    def test_what_cannot_be_checked_is_told(self, tmp_path: Path) -> None:
        store = BarStore.open(made_store(tmp_path / "s", ["AAPL"], "2024-05-29", "2024-05-30"))

        with pytest.raises(ConfigError, match=r"unknown symbol 'APPL'\. Did you mean 'AAPL'"):
            check_store(store, symbols=["APPL"])
        with pytest.raises(ConfigError, match="1w bars are not stored: a store takes any interval"):
            check_store(store, intervals=["1w"])

    @pytest.mark.parametrize("exchange", ["XHKG", "CMES", "24/7"])
    def test_other_exchanges_have_sessions_of_their_own(self, exchange: str, tmp_path: Path) -> None:
        path = made_store(tmp_path / "s", ["A"], "2024-05-29", "2024-06-05", exchange=exchange, intervals=["1m"])

        for one in check_store(BarStore.open(path), exchange).series:
            assert one.score.percent == 100.0, one.findings


@given(
    st.lists(st.tuples(st.integers(0, 1169), st.sampled_from(["drop", "leap", "stand", "move"])), max_size=12),
    st.sampled_from([0, -390, 300, 1440]),
    st.sampled_from([1, 400, 1_000_000]),
)
@settings(max_examples=examples(10))
def test_whatever_is_wrong_the_report_is_told(
    tmp_path_factory: pytest.TempPathFactory, faults: list[tuple[int, str]], moved: int, bars_at_once: int
) -> None:
    """Bars are dropped, leap, stand still or come hours late, and all of them may be off by some minutes."""
    row = pl.int_range(pl.len())
    frame = bars().with_columns(pl.col("timestamp").dt.offset_by(f"{moved}m"))
    for at, fault in faults:
        here = row.is_between(at, at + 40)
        if fault == "drop":
            frame = frame.filter(~here)
        elif fault == "leap":
            frame = frame.with_columns(
                pl.when(row == at).then(pl.col("high") * 1.2).otherwise(pl.col("high")).alias("high")
            )
        elif fault == "stand":
            flat = [pl.when(here).then(100.0).otherwise(pl.col(c)).alias(c) for c in ("open", "high", "low", "close")]
            frame = frame.with_columns(flat)
        else:
            late = pl.col("timestamp").dt.offset_by("9h")
            frame = frame.with_columns(pl.when(here).then(late).otherwise(pl.col("timestamp")).alias("timestamp"))
    store = BarStore.open_or_create(tmp_path_factory.mktemp("any") / "s")
    store.write("A", "1m", frame.unique("timestamp"))
    store.write("B", "1m", bars(seed=1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "BARS_AT_ONCE", bars_at_once)
        report = check_store(store)

    assert json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert check_page(report).count("<svg") == check_page(report).count("</svg>")
    for one in report.series:
        assert 0 <= (one.score.percent or 0) <= 100
        assert one.rows == len(store.read([one.symbol], "1m", None, None))
        assert one.score.expected == one.score.present + one.score.missing + sum(
            f.bars for f in one.findings if f.kind in EXCUSING
        )


class TestWindows:
    """A long series is checked a window at a time; what is found is the same."""

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls, tmp_path_factory: pytest.TempPathFactory) -> BarStore:
        """40 sessions of minutes of A with a fault of each kind, of B whole, of LATE from the 30th; and days of A."""
        minutes, days = bars("1m", 40), bars("1d", 40)
        of_session = pl.col("timestamp").dt.date().rle_id()
        later = (of_session >= 20) + 1
        halved = [(pl.col(name) / later).alias(name) for name in ("open", "high", "low", "close")]
        leap = pl.when(pl.int_range(pl.len()) == 4000).then(pl.col("high") * 1.1).otherwise(pl.col("high"))
        faults = minutes.with_columns(*halved, pl.col("volume") * later).with_columns(leap.alias("high"))
        lost = of_session.is_in([7, 25, 26, 27]) | pl.int_range(pl.len()).is_between(5000, 5010)
        saturday = faults.filter(of_session == 8).tail(10).with_columns(pl.col("timestamp") + pl.duration(days=1))
        store = BarStore.open_or_create(tmp_path_factory.mktemp("faulty") / "s")
        store.write("A", "1m", pl.concat([faults.filter(~lost), saturday.cast(faults.schema)]))
        store.write("B", "1m", minutes)
        store.write("LATE", "1m", minutes.filter(of_session >= 30))
        store.write("A", "1d", days)
        return store

    @pytest.fixture(scope="class")
    @classmethod
    def whole(cls, faulty: BarStore) -> list[dict[str, Any]]:
        """What is found at once."""
        series: list[dict[str, Any]] = check_store(faulty).as_json()["series"]
        return series

    @pytest.mark.parametrize(
        "bars_at_once", [1000, *(pytest.param(bars, marks=pytest.mark.long) for bars in (390, 3000, 7801))]
    )
    def test_what_is_found_is_the_same(
        self, faulty: BarStore, whole: list[dict[str, Any]], bars_at_once: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(windows, "BARS_AT_ONCE", bars_at_once)
        parts = check_store(faulty).as_json()["series"]

        for one, other in zip(whole, parts, strict=True):
            kinds = {f["kind"] for f in one["findings"]}
            if (one["symbol"], one["interval"]) == ("A", "1m"):
                assert kinds >= {"undeclared_split", "closed_day", "missing_sessions", "hole", "spike"}
            for kind in kinds - {"other_basis", "outside_daily", "daily_price"}:  # told at once where they are many
                found, again = ([f for f in s["findings"] if f["kind"] == kind] for s in (one, other))
                assert sum(f["bars"] for f in found) == sum(f["bars"] for f in again), kind
                assert (found[0]["start"], found[-1]["end"]) == (again[0]["start"], again[-1]["end"])
            for count in ("rows", "score", "complete", "expected", "present", "missing", "outside"):
                assert one[count] == other[count], (one["symbol"], one["interval"], count)

    def test_a_split_of_minutes_is_drawn_with_days(self, faulty: BarStore) -> None:
        excerpt = of(check_store(faulty), "A", "1m").excerpts[0]

        assert (excerpt.finding.kind, excerpt.interval) == ("undeclared_split", "1d")
        assert len(excerpt.bars) == 36

    def test_a_window_has_a_bounded_number_of_bars(self) -> None:
        tm = TimeManager("XNYS")
        grid = tm.grid(date(2015, 1, 1), date(2016, 12, 31))

        for interval, most in (("1s", 42), ("1m", 2564), ("1d", len(grid))):
            found = list(windows.windows_of(grid, None, parse_interval(interval)))
            sessions = [window.after - window.first for window in found]
            assert sum(sessions) == len(grid)
            assert max(sessions) <= most + 1
            assert [w.begin_ns for w in found[1:]] == [w.end_ns for w in found[:-1]]


class TestCommand:
    @pytest.fixture(scope="class")
    @classmethod
    def many(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """40 symbols, of which two lack days."""
        symbols = [f"S{n:02}" for n in range(40)]

        def keep(symbol: str, interval: str, ns: int) -> bool:
            return symbol not in ("S07", "S21") or ns // DAY_NS % 7 != 0

        return made_store(
            tmp_path_factory.mktemp("many") / "store", symbols, "2024-01-02", "2024-03-28", intervals=["1d"], keep=keep
        )

    def test_small_differences_from_the_daily_bars_are_told_below_the_table(self, lean_store: BarStore) -> None:
        words = ("IBM", "BAC", "--store", str(lean_store.path), "--from", "2013-10-01", "--to", "2013-10-31")
        told = openbell(*words, "--interval", "1m").stdout

        assert "1 series sums to other daily bars than are stored, within what is usual" in told

    def test_the_table_is_short_and_the_worst_come_first(self, many: Path) -> None:
        result = openbell("--store", str(many))

        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert len(lines) < 40
        first = next(i for i, line in enumerate(lines) if line.startswith("symbol")) + 2
        assert {lines[first].split()[0], lines[first + 1].split()[0]} == {"S07", "S21"}
        assert "... and 15 series that score 100.00 or more (all: --top 0)" in result.stdout
        assert "40 series, 38 without a finding." in result.stdout

    def test_all_of_it_on_demand(self, many: Path) -> None:
        assert "S39" in openbell("--store", str(many), "--top", "0").stdout

    def test_json_holds_everything(self, many: Path) -> None:
        told = json.loads(openbell("--store", str(many), "--json", "S07").stdout)

        (series,) = told["series"]
        assert series["missing"] == len(series["findings"])
        assert series["findings"][0].keys() == {"kind", "severity", "start", "end", "bars", "text"}

    def test_a_page_is_written_where_it_is_asked_for(self, many: Path, tmp_path: Path) -> None:
        target = tmp_path / "new" / "report.html"

        assert openbell("--store", str(many), "--html", str(target)).exit_code == 0
        assert target.read_text(encoding="utf-8").startswith("<!doctype html>")

    @pytest.mark.parametrize("place", [".", "a-file/report.html", "x" * 300 + ".html", "/proc/report.html"])
    def test_a_page_that_cannot_be_written_is_an_error_in_words(self, many: Path, tmp_path: Path, place: str) -> None:
        (tmp_path / "a-file").touch()
        refused = openbell("--store", str(many), "--html", str(tmp_path / place))

        assert (refused.exit_code, isinstance(refused.exception, SystemExit)) == (1, True)
        assert str(place)[:200] in refused.stderr or str(tmp_path) in refused.stderr
        assert refused.stderr.startswith("error: ")

    @pytest.mark.parametrize(("least", "code"), [("50", 0), ("99", 1)])
    def test_a_score_that_is_too_low_is_an_exit_code_on_demand(self, many: Path, least: str, code: int) -> None:
        assert openbell("--store", str(many), "--min-score", least).exit_code == code

    def test_a_file_that_cannot_be_read_is_an_exit_code(self, many: Path, tmp_path: Path) -> None:
        store = shutil.copytree(many, tmp_path / "store")
        file = next(path for path in sorted(store.rglob("*.parquet")) if "S03" in str(path))
        file.write_bytes(b"nothing")

        result = openbell("--store", str(store))

        assert result.exit_code == 1
        assert f"1 file cannot be read. `openbell data verify --store {store}` says which, and why." in result.stderr

    def test_days_that_no_bar_is_of_are_an_error_only_where_a_score_is_demanded(self, many: Path) -> None:
        result = openbell("--store", str(many), "--from", "2040-01-01")

        assert result.exit_code == 0
        assert "no bars to check" in result.stderr
        assert openbell("--store", str(many), "--from", "2040-01-01", "--min-score", "50").exit_code == 1

    def test_a_symbol_that_is_not_there_is_wrong_usage(self, many: Path) -> None:
        result = openbell("SO7", "--store", str(many))

        assert result.exit_code == 2
        assert "unknown symbol 'SO7'. Did you mean" in result.stderr

    def test_days_in_the_wrong_order_are_told(self, many: Path) -> None:
        result = openbell("--store", str(many), "--from", "2024-03-02", "--to", "2024-03-01")

        assert result.exit_code == 2
        assert "no days from 2024-03-02 to 2024-03-01" in result.stderr

    def test_what_the_calendar_does_not_know_is_told_and_the_rest_is_checked(self, tmp_path: Path) -> None:
        store = BarStore.open_or_create(tmp_path / "s")
        early = bars("1d", 60).with_columns(pl.col("timestamp") - pl.duration(days=40 * 365))
        store.write("OLD", "1d", pl.concat([early.cast(early.schema), bars("1d", 60)], how="vertical_relaxed"))

        result = openbell("--store", str(store.path), "--json")

        (series,) = json.loads(result.stdout)["series"]
        assert (series["rows"], series["score"], series["findings"]) == (60, 100.0, [])
        assert "the calendar XNYS begins on" in result.stderr
        assert "bars of OLD from 1973" in result.stderr

    def test_nothing_to_check_is_said(self, many: Path) -> None:
        result = openbell("--store", str(many), "--interval", "1m")

        assert result.exit_code == 0
        assert "no bars to check" in result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_finding_is_a_phrase_of_the_table(lean_report: Report, kind: str) -> None:
    one = lean_report.series[0]
    found = Finding(kind, "doubt", one.first_ns, one.last_ns, 3, "made up", np.array([one.first_ns]))
    phrases = replace(one, findings=(found,)).in_short(lean_report.timezone)

    assert len(phrases) == (kind not in ("daily_near", "no_trades", "extended_hours"))
