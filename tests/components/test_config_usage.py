"""A key of a scanner's or strategy's ``config`` that is read on no day is reported at the end of the run."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import dataclass
from operator import eq
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from openbell.components.config_usage import ConfigUsage
from openbell.errors import ComponentError
from openbell.testing import probe_scanner, probe_strategy
from probes import engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = {"fst": 10, "slow": 20}


@pytest.mark.parametrize(
    "read",
    [
        lambda config: [config["fst"], config["slow"]],
        lambda config: [config.get("fst"), config.get("slow")],
        lambda config: ["fst" in config, "slow" in config],
        lambda config: [config.pop("fst"), config.pop("slow", 1)],
        lambda config: [config.setdefault("fst", 1), config.setdefault("slow", 1)],
        lambda config: list(config),
        lambda config: list(config.keys()),
        lambda config: list(config.values()),
        lambda config: list(config.items()),
        lambda config: dict(**config),
        lambda config: {**config},
        lambda config: dict(config),
        lambda config: {"more": 1} | config,
        lambda config: config | {"more": 1},
        lambda config: config.copy(),
        lambda config: json.dumps(config),
        lambda config: "{fst}{slow}".format_map(config),
        lambda config: list(reversed(config)),
        lambda config: [config.popitem(), config.popitem()],
        lambda config: [config.__delitem__("fst"), config.__delitem__("slow")],
        lambda config: config == {"fst": 10, "slow": 20},
        lambda config: config != {"fst": 10, "slow": 20},
        lambda config: eq({"fst": 10, "slow": 20}, config),
        lambda config: copy.copy(config),
        lambda config: copy.deepcopy(config),
        lambda config: pickle.loads(pickle.dumps(config)),
        lambda config: yaml.safe_dump(config),
        lambda config: yaml.dump(config),
        lambda config: yaml.dump(config, Dumper=yaml.CSafeDumper),
    ],
)
def test_whatever_reads_a_key_is_noted_and_gets_what_a_dict_gives(read: Callable[[dict[str, Any]], object]) -> None:
    keys = ConfigUsage(CONFIG)
    noting = keys.noting(dict(CONFIG))

    assert keys.unread == {"fst", "slow"}
    assert read(noting) == read(dict(CONFIG))
    assert keys.unread == set()


@pytest.mark.parametrize("asked", [(), ("fst",), ("fst", "slow")])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_a_copy_is_a_dict_as_any_other_whatever_was_read(asked: tuple[str, ...], copied: Callable[[Any], Any]) -> None:
    noting = ConfigUsage(CONFIG).noting(dict(CONFIG))
    for key in asked:
        noting[key]

    assert type(copied(noting)) is dict
    assert copied(noting) == CONFIG
    assert yaml.dump(noting) == yaml.safe_dump(noting) == "fst: 10\nslow: 20\n"


def test_a_config_that_compiled_code_reads_unseen_is_not_reported() -> None:
    @dataclass
    class Settings:
        fst: int
        slow: int

    keys = ConfigUsage(CONFIG)
    assert TypeAdapter(Settings).validate_python(keys.noting(dict(CONFIG))) == Settings(10, 20)

    assert keys.unread
    assert keys.warnings("strategy S") == []


KEYS = st.text("abc", min_size=1, max_size=3)


@given(config=st.dictionaries(KEYS, st.integers()), asked=st.lists(KEYS))
def test_what_is_unread_is_what_was_not_asked_for(config: dict[str, int], asked: list[str]) -> None:
    keys = ConfigUsage(config)
    for half in (asked[::2], asked[1::2]):  # as on two days
        noting = keys.noting(dict(config))
        assert [noting.get(key) for key in half] == [config.get(key) for key in half]

    assert keys.unread == config.keys() - set(asked)


def test_a_key_that_was_asked_for_in_vain_is_what_was_meant() -> None:
    keys = ConfigUsage(CONFIG)
    noting = keys.noting(dict(CONFIG))
    noting.get("fast", 10)
    noting["slow"]

    (warning,) = keys.warnings("strategy EmaCross")
    assert warning == "strategy EmaCross never read the key 'fst' of its config in this run. Did you mean 'fast'?"


def test_a_key_that_is_like_no_other_is_reported_with_those_that_were_looked_for() -> None:
    keys = ConfigUsage({"threshold": 1})
    noting = keys.noting({"threshold": 1})
    assert (noting.get("most", 5), noting.get("min_percent", 2)) == (5, 2)

    (warning,) = keys.warnings("scanner Gap")
    assert warning.endswith(
        "'threshold' of its config in this run. It looked for 'min_percent', 'most', which the config does not have."
    )


def test_a_run_that_fails_does_not_tell_of_keys_that_it_would_have_read(minute_store: Path) -> None:
    def fail(self: Any) -> None:
        raise RuntimeError("on purpose")

    system = engine(minute_store, strategies=[probe_strategy(setup=fail, late=1)])
    with pytest.raises(ComponentError, match="on purpose"):
        system.run()
    assert system.summary()["warnings"] == []


def test_a_key_may_be_read_as_late_as_on_the_last_day(minute_store: Path) -> None:
    def on_bar(self: Any, bar: Any) -> None:
        if self.context.session_date.isoformat() == self.config["last"]:
            _ = self.config["late"]

    late = probe_strategy(subscriptions=[("SPY", "60m")], on_bar=on_bar, last="2013-10-11", late=1)
    never = probe_strategy(subscriptions=[("SPY", "60m")], on_bar=on_bar, last="2013-10-12", late=1)
    idle = probe_scanner("10:00", scan=lambda self: (), mots=3)
    run = {"days": ("2013-10-10", "2013-10-11"), "strategies": [late, never], "scanners": [idle]}

    warnings = engine(minute_store, **run).run()["warnings"]

    assert len(warnings) == 2
    assert warnings[0].startswith("scanner ProbeScanner never read the key 'mots' of its config in this run.")
    assert warnings[1].startswith("strategy ProbeStrategy-2 never read the key 'late' of its config in this run.")
