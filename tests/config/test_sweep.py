"""The ``sweep`` section says what varies, and every mistake in it is told with its place and its remedy."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config import load_config
from openbell.config.key_path import place_of, text_of, with_value
from openbell.config.reading import varied
from openbell.config.sweep import OBJECTIVES
from openbell.config.sweep_condition import Condition, short_names
from openbell.config.sweep_values import read_values, values_of_text
from openbell.errors import ConfigError
from openbell.results.measures.performance import Performance

if TYPE_CHECKING:
    from pathlib import Path

FAST, SLOW = "strategies.0.config.fast", "strategies.0.config.slow"


def config(**more: Any) -> dict[str, Any]:
    return {
        "backtest_config": {"start_date": "2013-10-10", "end_date": "2013-10-11"},
        "session_data_config": {"symbols": ["SPY", "IBM"]},
        "strategies": [{"module": "m:C", "config": {"fast": 5, "slow": 20}}],
        **more,
    }


def swept(space: Any, **more: Any) -> dict[str, Any]:
    return config(sweep={"space": space, **more})


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("5:20:5", (5, 10, 15, 20)),
        ("5:19:5", (5, 10, 15)),
        ("20:5:-5", (20, 15, 10, 5)),
        ("0.1:0.5:0.1", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("1:2:0.5", (1.0, 1.5, 2.0)),
        ([5, 10], (5, 10)),
        (["5:20:5"], ("5:20:5",)),
        ("09:35", ("09:35",)),
        (7, (7,)),
    ],
)
def test_values_are_a_list_a_range_with_both_ends_or_one_value(written: object, values: tuple[object, ...]) -> None:
    found = read_values(written)

    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5:50:5", tuple(range(5, 51, 5))),
        ("20,50,100", (20, 50, 100)),
        ("a, b", ("a", "b")),
        ("[A, B],[C]", (["A", "B"], ["C"])),
        ("true,false", (True, False)),
        ('"09:35",09:40', ("09:35", "09:40")),
    ],
)
def test_the_option_reads_values_as_yaml_does(text: str, values: tuple[object, ...]) -> None:
    assert values_of_text(text) == values


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([], "has no values"),
        ([5, 10, 5], "5 occurs twice"),
        ("5:50:-5", "does not lead from 5 to 50"),
        ("5:50:0", "does not lead from 5 to 50"),
        ("0:1:1e-9", "more than 100,000 values"),
        ("1:1e9999999:1", "more than 100,000 values"),
    ],
)
def test_values_that_are_none_are_refused(written: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_values(written)


def test_a_place_is_written_with_dots_or_brackets() -> None:
    assert place_of(FAST) == place_of("strategies[0].config.fast") == ("strategies", 0, "config", "fast")
    assert place_of('execution.instruments["BRK.B"].tick') == ("execution", "instruments", "BRK.B", "tick")


@given(
    st.lists(
        st.one_of(st.integers(0, 99), st.text("ab.[]_ 0", min_size=1).filter(lambda t: t.strip(" 0.") != "")),
        min_size=1,
    )
)
def test_a_place_is_read_as_it_was_written(parts: list[int | str]) -> None:
    place = tuple(part if isinstance(part, int) else f"k{part}k" for part in parts)

    assert place_of(text_of(place)) == place


@pytest.mark.parametrize("text", ["", ".", "a..b", "a[", "a]b"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a place in a config"):
        place_of(text)


def test_a_value_is_set_in_a_copy() -> None:
    values = {"a": [{"b": 1}, {"b": 2}]}

    assert with_value(values, ("a", 1, "b"), 3) == {"a": [{"b": 1}, {"b": 3}]}
    assert with_value(values, ("c", "d"), 3) == {**values, "c": {"d": 3}}
    assert values == {"a": [{"b": 1}, {"b": 2}]}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("a", 2, "b"), "a has entries 0 to 1, not 2"),
        (("a", "x"), "a has entries 0 to 1, not 'x'"),
        (("a", 0, "b", "c"), "a.0.b is 1, which has no keys"),
        (("e", 0), "e is not in the config"),
    ],
)
def test_a_place_that_is_not_there_is_refused(place: tuple[str | int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        with_value({"a": [{"b": 1}, {"b": 2}]}, place, 3)


def test_a_section_is_read() -> None:
    sweep = load_config(swept({FAST: "5:15:5", "strategies[0].config.slow": [20, 50]}, where="fast < slow")).sweep

    assert sweep is not None
    assert sweep.space == {FAST: (5, 10, 15), SLOW: (20, 50)}
    assert sweep.where == ("fast < slow",)


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"space": {}}, "sweep.space"),
        ({"spaec": {FAST: [1]}}, "sweep.spaec: unknown key; did you mean 'space'"),
        ({"space": {FAST: []}}, "has no values"),
        ({"space": {FAST: [1], "strategies[0].config.fast": [2]}}, f"{FAST} occurs twice"),
        ({"space": {"sweep.seed": [1]}}, "is a key of the sweep itself"),
        ({"space": {FAST: [1]}, "where": ["fsat < 3"]}, "Did you mean 'fast'"),
        ({"space": {FAST: [1]}, "objective": "sharp"}, "must be 'sharpe'"),
        ({"space": {FAST: [1]}, "random": 0}, "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_told_with_its_place(sweep: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(config(sweep=sweep))

    assert said in str(error.value)


def test_every_objective_is_a_number_of_the_performance() -> None:
    assert set(OBJECTIVES) <= {field.name for field in fields(Performance)}


def test_names_are_as_short_as_they_can_be() -> None:
    assert short_names([FAST, SLOW]) == {FAST: "fast", SLOW: "slow"}
    two = ["strategies.0.config.fast", "strategies.1.config.fast"]
    assert short_names(two) == {two[0]: "0.config.fast", two[1]: "1.config.fast"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("fast < slow", True),
        ("slow - fast >= 2 * fast", True),
        ("fast in [5, 10] and not slow % 7 == 0", True),
        ("10 < fast < slow", False),
        ("strategies[0].config.fast == 5", True),
        ("strategies.0.config.fast == 5 and slow / 1.5 > 13.2", True),
        ("config.fast > -1 or slow > 3", True),
    ],
)
def test_conditions_compare_and_calculate(text: str, holds: bool) -> None:
    assert Condition.of(text, [FAST, SLOW]).holds({FAST: 5, SLOW: 20}) is holds


@pytest.mark.parametrize(
    "text", ["open('x')", "fast.bit_length()", "[f for f in 'a']", "lambda: 1", "fast <", "fast ** 9", ""]
)
def test_nothing_else_is_a_condition(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a condition|that a condition cannot hold"):
        Condition.of(text, [FAST, SLOW])


def test_a_name_that_two_keys_end_with_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"Write strategies\[0\].config.fast or strategies\[1\].config.fast"):
        Condition.of("fast < 3", [FAST, "strategies.1.config.fast"])


def test_values_that_cannot_be_compared_are_named() -> None:
    with pytest.raises(ValueError, match="'fast < slow' cannot be judged at fast = 5, slow = 'x'"):
        Condition.of("fast < slow", [FAST, SLOW]).holds({FAST: 5, SLOW: "x"})


def test_a_varied_config_is_the_one_that_has_the_value_written(tmp_path: Path) -> None:
    text = """\
store: bars
backtest_config: {start_date: 2013-10-10, end_date: 2013-10-11}
session_data_config: {symbols: [SPY]}
strategies:
  - {module: "m.py:C", config: {fast: %s}}
sweep: {space: {strategies.0.config.fast: [5, 10]}}
"""
    (tmp_path / "a.yaml").write_text(text % 5)
    (tmp_path / "b.yaml").write_text(text % 10)

    found = varied(load_config(tmp_path / "a.yaml"), {("strategies", 0, "config", "fast"): 10})

    assert found.resolved() == load_config(tmp_path / "b.yaml").resolved()
    assert (found.sweep, found.folder, found.store) == (None, tmp_path, tmp_path / "bars")
    assert varied(found, {("store",): "other"}).store == tmp_path / "other"


def test_a_class_that_varies_gives_its_strategy_its_name() -> None:
    found = varied(load_config(config()), {("strategies", 0, "module"): "m:Other"})

    assert found.strategies[0].name == "Other"


def test_a_value_that_is_wrong_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"session_data_config\.stremas: unknown key; did you mean 'streams'"):
        varied(load_config(config()), {("session_data_config", "stremas"): ["1m"]})


def test_a_sweep_is_no_part_of_a_runs_config() -> None:
    assert "sweep" not in load_config(swept({FAST: [1]})).resolved()
