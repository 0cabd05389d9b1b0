"""The sources of additions, such as the config, scanners and strategies."""

from __future__ import annotations

from dataclasses import dataclass

from openbell.registry import Registry

__all__ = ["SOURCES", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of component that asks for additions.

    Attributes:
        name: Its name, which symbols carry as ``added_by``.
        asks: Its request in words, for reasons: "the config asks for it".
    """

    name: str
    asks: str


SOURCES: Registry[Source] = Registry("source")
"""All sources by name. Register more with ``SOURCES.add(name, Source(name, ...))``."""

for _source in (
    Source("config", "the config asks for it"),
    Source("scanner", "a scanner asked for it"),
    Source("strategy", "a strategy asked for it"),
    Source("portfolio", "the portfolio holds it or has orders of it"),
):
    SOURCES.add(_source.name, _source)
