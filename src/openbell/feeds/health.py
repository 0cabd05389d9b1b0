"""Health of a feed, judged over all subscribed symbols."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from openbell.model.feed_events import FeedHealth

__all__ = ["HealthJudge", "SilenceBounds"]

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class SilenceBounds:
    """Bounds above which chance no longer explains silence.

    A feed is stale when ``rounds``, ``silent_ns`` and ``odds`` are all reached.

    Attributes:
        rounds: The fewest rounds without any bar.
        silent_ns: The shortest time without any bar, nanoseconds.
        odds: The odds against the silence; 1e6 is a silence that chance brings once in a million cases.
        unknown_share: The assumed share of rounds with a bar, for a symbol of which nothing is known yet.
        memory: The number of recent rounds over which a symbol's share of rounds with a bar is averaged.
    """

    rounds: int = 3
    silent_ns: int = 60 * _SECOND_NS
    odds: float = 1e6
    unknown_share: float = 0.5
    memory: int = 20


_SUREST = 0.95
"""The highest share that is reckoned with, because even a liquid symbol may pause for some minutes."""


class HealthJudge:
    """Judges a feed by its connection, and by how regularly the subscribed symbols trade.

    A round ends at each time at which, by the calendar, bars of the finest intraday interval close. For each symbol,
    the share of recent rounds with a bar is tracked. A round without a bar of any symbol is as likely as all symbols
    pausing at once; when that is too unlikely over the silent rounds together, the feed is stale. With two or more
    liquid symbols this takes three rounds, with a single one eight, and with some that trade now and then more than a
    day. Daily bars have no rounds.

    Whether the symbols or the feed paused is not known until the bars of the silent rounds have been backfilled, or
    found missing there, too (`filled`); only then do silent rounds change the shares.

    Args:
        bounds: The bounds.

    Attributes:
        heard_ns: The time of the last bar, or of the connection if that is later; nanoseconds since 1970 UTC.
    """

    def __init__(self, bounds: SilenceBounds | None = None) -> None:
        self._bounds = bounds or SilenceBounds()
        self._symbols: dict[str, float | None] = {}
        self._shares: dict[tuple[str, str], float] = {}
        self._halted: set[str] = set()
        self._silent: list[tuple[int, str]] = []
        self._surprise = 0.0
        self._silent_rounds = 0
        self._is_connected = False
        self._is_filling = False
        self._now_ns = 0
        self.heard_ns = 0

    def add(self, symbol: str, share: float | None = None) -> None:
        """Expect bars of a symbol.

        Args:
            symbol: The symbol.
            share: The share of rounds of its history with a bar, from 0 to 1; None when unknown.
        """
        self._symbols[symbol] = share

    def remove(self, symbol: str) -> None:
        """Expect no more bars of a symbol."""
        self._symbols.pop(symbol, None)
        self._halted.discard(symbol)
        self._shares = {key: share for key, share in self._shares.items() if key[1] != symbol}

    def halted(self, symbol: str, *, is_halted: bool) -> None:
        """Record that trading in a symbol is halted, or is resumed, and count silence anew."""
        (self._halted.add if is_halted else self._halted.discard)(symbol)
        self._surprise, self._silent_rounds = 0.0, 0

    def connected(self, now_ns: int) -> None:
        """Record that there is a connection, and that missed bars are being backfilled."""
        self._is_connected, self._is_filling = True, True
        self._restart(now_ns)

    def lost(self) -> None:
        """Record that the connection is lost or given up."""
        self._is_connected = self._is_filling = False

    def filling(self) -> None:
        """Record that a backfill has begun."""
        self._is_filling = True

    def filled(self, now_ns: int, came: Mapping[int, Collection[str]] | None = None) -> None:
        """Record that a backfill has ended, and learn the silent rounds.

        Args:
            now_ns: The time, nanoseconds since 1970 UTC.
            came: By the end of a silent round, the symbols that history has a bar of; all others did not trade then.
        """
        self._is_filling = False
        self._learn_silence(came or {})
        self._restart(now_ns)

    def heard(self, now_ns: int) -> None:
        """Record that a bar has arrived, even a late or revised one."""
        self._restart(now_ns)

    def round_ended(self, end_ns: int, came: Collection[str], now_ns: int, phase: str = "") -> None:
        """Record the end of a round.

        Args:
            end_ns: The close of the round's bars, nanoseconds since 1970 UTC.
            came: The symbols of which a bar has arrived.
            now_ns: The time, nanoseconds since 1970 UTC.
            phase: The part of the day, such as the pre-market; shares are tracked for each part on its own.
        """
        if not self._is_connected:
            self._silent.append((end_ns, phase))
            return
        self._now_ns = max(self._now_ns, now_ns)
        if came:
            self._learn(phase, came)
            self._restart(now_ns)
            if not self._is_filling:
                self._learn_silence({})
            return
        # A share is an average of ``memory`` rounds, and is less certain with each silent round since.
        fading = self._bounds.memory / (self._bounds.memory + self._silent_rounds)
        self._silent.append((end_ns, phase))
        self._silent_rounds += 1
        self._surprise += sum(
            -log(1 - min(self._share(phase, symbol), _SUREST) * fading)
            for symbol in self._symbols
            if symbol not in self._halted
        )

    @property
    def state(self) -> FeedHealth:
        """The health of the feed now."""
        if not self._is_connected:
            return "DOWN"
        if self._is_stale:
            return "STALE"
        return "BACKFILLING" if self._is_filling else "LIVE"

    @property
    def reason(self) -> str:
        """Reason for the state, in words."""
        expected = [symbol for symbol in self._symbols if symbol not in self._halted]
        seconds = (self._now_ns - self.heard_ns) // _SECOND_NS
        return {
            "DOWN": "there is no connection",
            "STALE": f"no bar of {len(expected)} symbols for {seconds} s, "
            "which their recent trading makes very unlikely",
            "BACKFILLING": "bars that were missed are being fetched",
            "LIVE": "bars come as expected",
        }[self.state]

    @property
    def _is_stale(self) -> bool:
        bounds = self._bounds
        return (
            self._surprise >= log(bounds.odds)
            and self._silent_rounds >= bounds.rounds
            and self._now_ns - self.heard_ns >= bounds.silent_ns
        )

    def _restart(self, now_ns: int) -> None:
        """Begin to count silence anew."""
        self.heard_ns = max(self.heard_ns, now_ns)
        self._now_ns = max(self._now_ns, now_ns)
        self._surprise, self._silent_rounds = 0.0, 0

    def _share(self, phase: str, symbol: str) -> float:
        known = self._shares.get((phase, symbol), self._symbols[symbol])
        return self._bounds.unknown_share if known is None else known

    def _learn_silence(self, came: Mapping[int, Collection[str]]) -> None:
        """Update the shares by the silent rounds so far.

        ``came`` has the symbols that traded, by the end of a round.
        """
        for end_ns, phase in self._silent:
            self._learn(phase, came.get(end_ns, ()))
        self._silent.clear()

    def _learn(self, phase: str, came: Collection[str]) -> None:
        """Update the shares by one round."""
        for symbol in self._symbols:
            if symbol not in self._halted:
                share = self._share(phase, symbol)
                self._shares[phase, symbol] = share + ((symbol in came) - share) / self._bounds.memory
