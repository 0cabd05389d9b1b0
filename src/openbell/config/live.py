"""Config of live sessions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from openbell.config.documented import Level
from openbell.config.fields import IntradayInterval

__all__ = ["DAYS_TO_COME", "LiveConfig"]

DAYS_TO_COME = {"start_date": date.min, "end_date": date.min}
"""The days of a live config that names none: whichever come when it is run."""


class LiveConfig(Level):
    """Feed of a live session, and how long its bars are waited for."""

    provider: Literal["websocket"] = "websocket"
    """The kind of feed: a server that speaks openbell's own protocol over a WebSocket."""
    url: Annotated[str, Field(min_length=1, strict=True)] | None = None
    """The address of a websocket feed, such as ws://127.0.0.1:8765."""
    feed: Annotated[str, Field(min_length=1, strict=True)] = "websocket"
    """The name of the feed, which labels its bars; a server that calls itself otherwise is refused."""
    grace: IntradayInterval = "2s"
    """How long a bar is waited for after its time; one that comes later is a revision."""
    wait: IntradayInterval = "30s"
    """How long an addition may wait for its bars before it fails."""
    max_lag: IntradayInterval = "30s"
    """How late orders may follow the bars that they are about; while it is more, no position is opened."""

    @model_validator(mode="after")
    def _has_an_address(self) -> LiveConfig:
        if self.provider == "websocket" and self.url is None:
            raise ValueError("a websocket feed needs its address. Write url: ws://HOST:PORT.")
        return self
