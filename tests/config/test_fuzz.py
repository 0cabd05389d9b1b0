"""Configs of any kind end in a config or an error of ours."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openbell.config import load_config
from openbell.errors import ConfigError

_PIECES = ["session_name", "store", "symbols", "!!int", "!!timestamp", "!!set", "!!omap", "&a", "*a", "<<", "9" * 50]
_TEXTS = st.lists(st.sampled_from([*_PIECES, *":[]{},?-\n\"'= #ax0", ": ", "\n- "]), max_size=30).map("".join)


def _try(tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz.{suffix}"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(ConfigError):
        load_config(path)


# With the 2,000 inputs of the command line (tests/cli/test_fuzz.py) the long tests try 5,000.
_SUFFIXES = st.sampled_from(["yaml", "json", "toml"])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(_TEXTS, _SUFFIXES)
def test_no_config_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str) -> None:
    _try(tmp_path_factory, text, suffix)


@pytest.mark.long
@settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(_TEXTS, _SUFFIXES)
def test_no_config_of_many_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str
) -> None:
    _try(tmp_path_factory, text, suffix)
