"""The numbers of a run are those of empyrical, and a number that is unavailable is None with its reason."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_trading import OPEN_NS, made_fill, made_trade
from openbell.importers.lean.lean import import_lean
from openbell.model.cash_flow import CashFlow, CashFlowKind
from openbell.results.measures.equity import SessionEquity
from openbell.results.measures.performance import Performance, performance
from openbell.results.measures.returns import longest_drawdown_days
from openbell.results.measures.unavailable import Unavailable
from openbell.results.trades.trade_statistics import trade_statistics
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

START = 100_000.0
RETURN_RATIOS = ("cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown")
OF_BENCHMARK = ("alpha", "beta", "correlation", "information_ratio")


def equity_of(returns: NDArray[np.float64], **columns: Any) -> SessionEquity:
    """Equity by session that has these returns, with nothing traded."""
    days = [date(2020, 1, 1) + timedelta(days=n) for n in range(len(returns))]
    none = np.zeros(len(returns))
    defaults = {"traded": none, "bar_times": none.astype(np.int64), "held_times": none.astype(np.int64)}
    return SessionEquity(START, days, START * np.cumprod(1 + returns), **{**defaults, **columns})


def performance_of(returns: Any, benchmark: Any = None, **rates: float) -> Performance:
    """Performance of a run that had these returns."""
    equity = equity_of(np.asarray(returns, dtype=float))
    rates = {"sessions_per_year": 252, **rates}
    return performance(equity, [], [], orders=0, rejected=0, benchmark=benchmark, **rates)


def expected(returns: NDArray[np.float64], benchmark: NDArray[np.float64], rate_of_year: float, per_year: int) -> Any:
    """The same numbers by empyrical."""
    import empyrical  # brings SciPy and pandas, which only these tests need

    rate = (1 + rate_of_year) ** (1 / per_year) - 1
    year = {"annualization": per_year}
    return {
        "total_return": empyrical.cum_returns_final(returns),
        "cagr": empyrical.annual_return(returns, **year),
        "volatility": empyrical.annual_volatility(returns, **year),
        "sharpe": empyrical.sharpe_ratio(returns, risk_free=rate, **year),
        "sortino": empyrical.sortino_ratio(returns, required_return=rate, **year),
        "calmar": empyrical.calmar_ratio(returns, **year),
        "max_drawdown": empyrical.max_drawdown(returns),
        "alpha": empyrical.alpha(returns, benchmark, risk_free=rate, **year),
        "beta": empyrical.beta(returns, benchmark, risk_free=rate),
        "information_ratio": empyrical.excess_sharpe(returns, benchmark) * np.sqrt(per_year),
        "correlation": np.corrcoef(returns, benchmark)[0, 1],
    }


@pytest.mark.parametrize("seed", range(40))
def test_random_returns_have_the_numbers_of_empyrical(seed: int) -> None:
    random = np.random.default_rng(seed)
    sessions = int(random.integers(2, 1500))
    returns = random.normal(random.normal(0, 0.002), random.uniform(0.001, 0.03), sessions)
    benchmark = 0.5 * returns + random.normal(0.0002, 0.01, sessions)
    rate, per_year = random.choice([0.0, 0.03]), int(random.choice([252, 365]))

    got = performance_of(returns, benchmark, sessions_per_year=per_year, risk_free_rate=rate)

    for name, number in expected(returns, benchmark, rate, per_year).items():
        if not np.isfinite(number):
            assert getattr(got, name) is None
            assert got.unavailable[name]
        else:
            assert getattr(got, name) == pytest.approx(number, rel=1e-9, abs=1e-12), name


@pytest.fixture(scope="module")
def real_closes(lean_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[np.float64]]:
    store = BarStore.open_or_create(tmp_path_factory.mktemp("daily") / "store")
    import_lean(lean_dir, store, symbols=["SPY", "IBM", "BAC"], intervals=["1d"])
    bars = store.read(["SPY", "IBM", "BAC"], "1d", date(2003, 1, 1), date(2014, 1, 1))
    closes = bars.pivot("symbol", index="timestamp", values="close").drop_nulls()
    return {symbol: closes[symbol].to_numpy() for symbol in ("SPY", "IBM", "BAC")}


@pytest.mark.parametrize("symbol", ["IBM", "BAC"])
def test_real_prices_have_the_numbers_of_empyrical(symbol: str, real_closes: dict[str, NDArray[np.float64]]) -> None:
    returns, benchmark = (np.diff(real_closes[s]) / real_closes[s][:-1] for s in (symbol, "SPY"))
    assert len(returns) > 2000

    got = performance_of(returns, benchmark, risk_free_rate=0.02)

    for name, number in expected(returns, benchmark, 0.02, 252).items():
        assert getattr(got, name) == pytest.approx(number, rel=1e-9), name


def test_one_session_has_no_ratios_and_says_why() -> None:
    got = performance_of([0.01], np.array([0.02]))

    assert got.end_equity == pytest.approx(101_000)
    assert got.cagr == pytest.approx(1.01**252 - 1)
    for name in ("volatility", "sharpe", "sortino", *OF_BENCHMARK):
        assert getattr(got, name) is None
        assert got.unavailable[name] == "it takes at least 2 sessions, and there is 1"
    assert got.unavailable["calmar"] == "no session ended below an earlier one"


def test_a_run_without_a_session_has_its_start_equity_alone() -> None:
    got = performance_of([])

    assert (got.start_equity, got.end_equity, got.net_profit, got.total_return) == (START, START, 0, 0)
    assert {name for name in RETURN_RATIOS if getattr(got, name) is not None} == set()
    assert got.unavailable["max_drawdown"] == "it takes at least 1 session, and no session is over"


def test_equity_that_never_changes_has_no_sharpe_ratio() -> None:
    got = performance_of([0.0] * 10)

    assert (got.cagr, got.volatility, got.max_drawdown, got.max_drawdown_days) == (0, 0, 0, 0)
    assert got.unavailable["sharpe"] == "the returns of all sessions are equal"
    assert got.unavailable["sortino"] == "no session returned less than the risk-free rate"


def test_equity_at_or_below_zero_leaves_no_returns() -> None:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(3)]
    none = np.zeros(3, dtype=np.int64)
    equity = SessionEquity(START, days, np.array([50_000, -1_000, -1_000.0]), none.astype(float), none, none)

    got = performance(equity, [], [], orders=0, rejected=0, sessions_per_year=252)

    assert got.total_return == pytest.approx(-1.01)
    assert got.max_drawdown == pytest.approx(-1.01)
    assert got.unavailable["cagr"] == "equity ended at zero or below"
    assert got.unavailable["sharpe"] == "equity fell to zero or below, after which there are no returns"
    assert got.unavailable["turnover"] == "equity fell to zero or below"


def test_growth_beyond_all_numbers_is_unavailable() -> None:
    got = performance_of([50.0], sessions_per_year=252)

    assert got.cagr is None
    assert "too large" in got.unavailable["cagr"]


def test_a_benchmark_counts_in_the_sessions_in_which_it_has_returns() -> None:
    random = np.random.default_rng(3)
    returns, benchmark = random.normal(0, 0.01, 50), random.normal(0, 0.01, 50)
    benchmark[[0, 7]] = np.nan
    known = np.isfinite(benchmark)

    got = performance_of(returns, benchmark)

    assert got.beta == pytest.approx(expected(returns[known], benchmark[known], 0.0, 252)["beta"])
    assert performance_of(returns, np.full(50, np.nan)).unavailable["beta"].startswith("the benchmark has no returns")
    assert performance_of(returns).unavailable["alpha"] == "no benchmark: name one in execution.benchmark"
    flat = performance_of(returns, np.zeros(50))
    assert flat.unavailable["correlation"] == "the returns of the benchmark of all sessions are equal"


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=30))
def test_the_longest_drawdown_is_the_longest_way_back_to_a_peak(returns: list[float]) -> None:
    equity = START * np.cumprod(1 + np.array(returns))
    days = [date(2024, 1, 1) + timedelta(days=3 * n) for n in range(len(returns))]
    curve, dates = [START, *equity], [days[0], *days]
    longest = 0
    for peak in range(len(curve)):
        if curve[peak] < max(curve[: peak + 1]):
            continue
        below = peak + 1
        while below < len(curve) and curve[below] < curve[peak]:
            below += 1
        if below > peak + 1:
            longest = max(longest, (dates[min(below, len(curve) - 1)] - dates[peak]).days)

    assert longest_drawdown_days(START, equity, days) == longest


def test_trades_are_judged_after_fees() -> None:
    nets = [30, -10, 0, 5, -20]

    got = trade_statistics(made_trade(pnl=net + 2, fees=2) for net in nets)

    assert (got.trades, got.win_rate) == (5, 2 / 5)
    assert (got.profit_factor, got.expectancy) == (35 / 30, 1)
    assert (got.average_win, got.average_loss, got.largest_win, got.largest_loss) == (17.5, -15, 30, -20)


def test_a_trade_that_earns_its_fees_and_no_more_is_no_win() -> None:
    got = trade_statistics([made_trade(pnl=2, fees=2)])

    assert got.win_rate == 0
    assert got.average_win == Unavailable("no trade won")
    assert got.profit_factor == Unavailable("no trade lost")
    assert trade_statistics([]).win_rate == Unavailable("no trade was closed")


def test_costs_fills_and_flows_are_added_up() -> None:
    fills = [
        made_fill("ALFA", 10, 100.0, fee=1.0, slippage=0.5),
        made_fill("ALFA", -10, 101.0, fee=1.5, ambiguous=True),
    ]
    flow = {"symbol": "ALFA", "quantity": 10.0, "time_ns": OPEN_NS, "zone": UTC, "session_date": date(2024, 7, 2)}
    flows = [
        CashFlow(kind=CashFlowKind.DIVIDEND, amount=12.0, **flow),
        CashFlow(kind=CashFlowKind.DIVIDEND, amount=-2.0, **flow),
        CashFlow(kind=CashFlowKind.BORROW, amount=-3.0, **flow),
        CashFlow(kind=CashFlowKind.FRACTION, amount=7.0, **flow),
    ]
    columns = {"traded": [2010.0], "bar_times": [390], "held_times": [39]}
    equity = equity_of(np.array([0.0]), **{name: np.array(values) for name, values in columns.items()})

    got = performance(equity, fills, [], flows, orders=2, rejected=1, sessions_per_year=252)

    assert (got.orders, got.rejected, got.fills, got.ambiguous_fills) == (2, 1, 2, 1)
    assert (got.fees, got.slippage, got.dividends, got.borrow) == (2.5, 0.5, 10, 3)
    assert (got.exposure, got.turnover) == (0.1, pytest.approx(0.0201))


@given(returns=st.lists(st.floats(-0.2, 0.2), max_size=6), with_benchmark=st.booleans())
def test_whatever_is_none_has_a_reason_and_all_is_json(returns: list[float], *, with_benchmark: bool) -> None:
    benchmark = np.array(returns[::-1]) if with_benchmark else None

    got = performance_of(returns, benchmark)

    missing = {field.name for field in fields(got) if getattr(got, field.name) is None}
    assert missing == set(got.unavailable)
    assert all(reason for reason in got.unavailable.values())
    assert json.loads(json.dumps(got.to_dict(), allow_nan=False))["unavailable"] == got.unavailable
