"""Terms on which a live run trades at a broker over the network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import filelock

from openbell.brokers.alpaca import AlpacaLink
from openbell.errors import BrokerError, ConfigError

if TYPE_CHECKING:
    from openbell.brokers.link import BrokerAccount, BrokerLink
    from openbell.config import SessionConfig
    from openbell.feeds.arrivals import FilledArrivals

__all__ = ["LIVE_MONEY", "AccountLock", "BrokerTerms", "broker_terms_of", "link_of"]

LIVE_MONEY = "OPENBELL_LIVE_MONEY"
"""Environment variable that has to be "yes" for a run to trade with live money."""


class AccountLock:
    """Lock of one live run on an account, which the system releases when its process dies.

    Args:
        account: The account.
        run: The folder of the run.

    Raises:
        BrokerError: Another live run trades on the account.
    """

    def __init__(self, account: BrokerAccount, run: Path) -> None:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        path = state / "openbell" / "accounts" / f"{account.broker}-{account.number}.lock".replace(" ", "-")
        holder = path.with_suffix(".json")
        self._lock = filelock.FileLock(path, timeout=0, thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            holder.write_text(json.dumps({"run": str(run.absolute()), "pid": os.getpid()}), encoding="utf-8")
        except filelock.Timeout:
            raise BrokerError(
                f"the account {account.number} at {account.broker} is traded on by {_holder(holder)}. End that run "
                "with openbell stop, or take the keys of another account."
            ) from None
        except OSError as error:
            raise BrokerError(f"cannot lock the account, by {path}: {error.strerror or error}.") from error

    def release(self) -> None:
        """Release the account for other runs."""
        self._lock.release()


class BrokerTerms(NamedTuple):
    """Terms of a run that trades at a broker.

    Attributes:
        link: The connection to the broker's servers.
        account: The account.
        lock: The lock on the account.
        run_id: The id by which the broker knows the run's orders.
        since_ns: When the run first looked at the account, nanoseconds since 1970 UTC; 0 for a new run.
        adopts: Whether the run adopts the broker's positions and cash where they differ from its own.
    """

    link: BrokerLink
    account: BrokerAccount
    lock: AccountLock
    run_id: str
    since_ns: int = 0
    adopts: bool = False

    def close(self) -> None:
        """Close the link, and release the account."""
        self.link.close()
        self.lock.release()


def link_of(config: SessionConfig, run_id: str, arrivals: FilledArrivals) -> BrokerLink | None:
    """Return the link to the broker that a config names, None without a broker over the network.

    Raises:
        ConfigError: The environment has no keys, does not confirm live money, or a package is missing.
    """
    execution = config.execution
    if execution is None or execution.broker == "simulated":
        return None
    if execution.live_money and os.environ.get(LIVE_MONEY) != "yes":
        raise ConfigError(
            f"the config says live_money: true, and the environment does not confirm it. Set {LIVE_MONEY}=yes to trade "
            "with live money, or take live_money out to trade with paper money."
        )
    return AlpacaLink.of(os.environ, run_id, arrivals.put, is_paper=not execution.live_money)


def broker_terms_of(
    config: SessionConfig,
    folder: Path,
    arrivals: FilledArrivals,
    run_id: str,
    *,
    since_ns: int = 0,
    adopts: bool = False,
    known: str = "",
) -> BrokerTerms | None:
    """Return the terms of a run's trading, None without a broker over the network.

    Args:
        config: The config.
        folder: The run folder.
        arrivals: Where the broker's events go.
        run_id: The id by which the broker knows the run's orders.
        since_ns: When the run first looked at the account; 0 for a new run.
        adopts: Whether the run adopts the broker's positions and cash where they differ from its own.
        known: The account that the run traded on before; empty for a new run.

    Raises:
        ConfigError: As for `link_of`.
        BrokerError: The broker does not answer, another run trades on the account, or the account is not `known`.
    """
    link = link_of(config, run_id, arrivals)
    if link is None:
        return None
    try:
        account = link.account()
        _require_same(account, known)
        lock = AccountLock(account, folder)
    except BrokerError:
        link.close()
        raise
    return BrokerTerms(link, account, lock, run_id, since_ns, adopts)


def _require_same(account: BrokerAccount, known: str) -> None:
    if known not in ("", account.number):
        raise BrokerError(
            f"the run traded on the account {known}, and the keys of the environment are those of {account.number}."
        )


def _holder(path: Path) -> str:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return f"the live run {found['run']} (process {found['pid']})"
    except (OSError, ValueError, KeyError):
        return "another live run"
