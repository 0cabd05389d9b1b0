"""Config of live sessions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from openbell.config.fields import IntradayInterval
from openbell.config.strict_model import StrictModel

__all__ = ["DAYS_TO_COME", "LiveConfig"]

DAYS_TO_COME = {"start_date": date.min, "end_date": date.min}
"""Placeholder for the days of a live config that names none, and so runs on the days that come."""


_FEEDS_OF_ALPACA = ("iex", "sip", "boats", "overnight")


def _or_default_feed(feed: object, info: ValidationInfo) -> object:
    if feed != "":
        return feed
    return "iex" if info.data.get("provider") == "alpaca" else "websocket"


def _require_known_feed(feed: str, info: ValidationInfo) -> str:
    if info.data.get("provider") != "alpaca" or feed in _FEEDS_OF_ALPACA:
        return feed
    late = " Its bars come a quarter of an hour late." if feed == "delayed_sip" else ""
    raise ValueError(
        f"alpaca has no feed {feed!r} for live sessions.{late} Write one of {', '.join(_FEEDS_OF_ALPACA)}."
    )


class LiveConfig(StrictModel):
    """Feed of a live session, and how long the session waits for its bars."""

    provider: Literal["websocket", "alpaca"] = "websocket"
    """The kind of feed: a server that speaks openbell's own protocol over a WebSocket, or Alpaca, whose keys are in
    the environment."""
    url: Annotated[str, Field(min_length=1, strict=True)] | None = None
    """The address of a websocket feed, such as ws://127.0.0.1:8765; of Alpaca's stream, its own unless given."""
    feed: Annotated[
        str,
        Field(min_length=1, strict=True, validate_default=True),
        BeforeValidator(_or_default_feed),
        AfterValidator(_require_known_feed),
    ] = ""
    """The name of the feed, which labels its bars (websocket unless given); a server that calls itself otherwise is
    refused. With alpaca: iex (unless given), sip, boats or overnight, for stream and history alike."""
    grace: IntradayInterval = "2s"
    """How long a bar is waited for after its time; one that comes later is a revision."""
    wait: IntradayInterval = "30s"
    """How long an addition may wait for its bars before it fails."""
    max_lag: IntradayInterval = "30s"
    """How late orders may follow the bars that they are about; while it is more, no position is opened."""
    orders_while_not_live: Literal["reject", "wait"] = "reject"
    """What becomes of orders that open a position or add to one while the feed is not LIVE: they are rejected, or wait
    until it is."""
    keep_bars: Annotated[bool, Field(strict=True)] = False
    """Whether the bars of each session are kept at its end, for the warm-up of later ones: below feeds/ of the config's
    store, labelled by their feed."""
    mix_feeds: Annotated[bool, Field(strict=True)] = False
    """Whether bars of the config's store, which are of another source, stand in where the feed's history has none."""

    @model_validator(mode="after")
    def _has_an_address(self) -> LiveConfig:
        if self.provider == "websocket" and self.url is None:
            raise ValueError("a websocket feed needs its address. Write url: ws://HOST:PORT.")
        return self
