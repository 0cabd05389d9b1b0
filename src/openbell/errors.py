"""Everything that openbell raises on purpose.

The tree is sorted by what the caller can do about it:

    OpenbellError
    ├── ConfigError               change the config or the command
    │   ├── InvalidConfigError    ... a config with one problem or several (lists all)
    │   ├── UnknownNameError      ... a name that nothing is registered under (names the nearest)
    │   └── IntervalError         ... an interval that cannot be read or derived
    ├── CalendarError             a day or time that the exchange's calendar does not have
    ├── DataError                 get, repair or replace data
    │   ├── StoreError            ... a store that is too new, or cannot be written
    │   │   ├── NotAStoreError    ... a folder that is not a store, or not there (name another)
    │   │   └── UnansweredError   ... object storage that does not answer (check the network, or try later)
    │   ├── DamagedFileError      ... a file of the store that is not what was stored (names it)
    │   │   ├── UnreadableFileError ... a file of the store that may be intact, but that this user may not read
    │   │   └── DamagedObjectError ... an object of a store in object storage
    │   ├── BadBarsError          ... bars that contradict themselves (says where)
    │   └── ShortfallError        ... fewer bars than were asked for (gives both numbers)
    ├── FeedError                 a feed that cannot be reached, or that ends for good (give another address)
    ├── BrokerError               a broker that cannot be reached, or a wrong account (correct keys or config)
    ├── RunFolderError            a run folder that can no longer be written (free its disk, or name another)
    ├── ProvisioningError         nothing of a request could be provisioned
    │   └── SessionOverError      ... because its session is over (use today's session)
    └── ComponentError            a user's scanner or strategy raised (gives the session time)
        └── SubscriptionError     ... or subscribes to bars that cannot be provisioned (says which, and why)
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "EXCHANGE_OPTION",
    "BadBarsError",
    "BrokerError",
    "CalendarError",
    "ComponentError",
    "ConfigError",
    "DamagedFileError",
    "DamagedObjectError",
    "DataError",
    "FeedError",
    "IntervalError",
    "InvalidConfigError",
    "NotAStoreError",
    "OpenbellError",
    "ProvisioningError",
    "RunFolderError",
    "SessionOverError",
    "ShortfallError",
    "StoreError",
    "SubscriptionError",
    "UnansweredError",
    "UnknownNameError",
    "UnreadableFileError",
    "command_on",
    "commands_name_exchange",
    "did_you_mean",
    "encodable",
    "one_by_one",
    "printable",
    "shortened",
]

_SHOWN = 40

_MOST_NEAR = 3
_SHORTEST_BEGINNING = 2
_LONGEST_NAME = 100  # the time of the comparison grows with its square


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest known names, empty if there are none.

    It begins with a blank. If no known name is similar, it names those that begin with ``name``.
    """
    from difflib import get_close_matches

    if len(name) > _LONGEST_NAME:
        return ""
    folded = {k.casefold(): k for k in known}
    wanted = name.casefold()
    near = [folded[match] for match in get_close_matches(wanted, folded, n=_MOST_NEAR, cutoff=0.6)]
    if not near and len(wanted) >= _SHORTEST_BEGINNING:
        begun = sorted((k for k in folded if k.startswith(wanted)), key=len)
        near = [folded[match] for match in begun[:_MOST_NEAR]]
    return f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""


EXCHANGE_OPTION: ContextVar[str] = ContextVar("exchange_option", default="")
"""Option by which commands in messages name the exchange, set by `commands_name_exchange`."""

_TAKE_AN_EXCHANGE = re.compile(r"data (check|verify|repair|import (csv|parquet|feather|json))\b")


def command_on(command: str, store: object) -> str:
    """Return an openbell command for a store, to be copied into a shell.

    If the command has an option for the exchange, the option that `commands_name_exchange` set is appended.

    Args:
        command: The command without ``openbell``, e.g. ``"data repair"``.
        store: The folder or address of the store.
    """
    from shlex import quote

    exchange = EXCHANGE_OPTION.get() if _TAKE_AN_EXCHANGE.match(command) else ""
    return f"openbell {command} --store {quote(str(store))}{exchange}"


@contextmanager
def commands_name_exchange(option: str) -> Iterator[None]:
    """Let the commands in messages name an exchange, for the length of a ``with`` block.

    Args:
        option: The option to append, e.g. ``" --exchange XLON"``; empty for the default exchange of commands.
    """
    before = EXCHANGE_OPTION.set(option)
    try:
        yield
    finally:
        EXCHANGE_OPTION.reset(before)


class OpenbellError(Exception):
    """Root of all errors that openbell raises on purpose, with a readable message."""


class ConfigError(OpenbellError):
    """A mistake in the config or on the command line."""


def one_by_one(names: Iterable[str]) -> str:
    """Return advice, with a leading blank, on names that are several with commas between (empty when none is)."""
    several = next((name for name in names if "," in name), "")
    parts = [part.strip() for part in several.split(",") if part.strip()]
    return f" Name each by itself: {', '.join(parts)}. An option is written again for each." if parts else ""


class InvalidConfigError(ConfigError):
    """A config with problems, all of which are listed.

    Args:
        subject: The thing that has the problems, e.g. the path of the config file.
        problems: One text each, with its place and its remedy.
        unchecked: What was not looked at because of them, in a sentence (empty when all was).
    """

    def __init__(self, subject: str, problems: Iterable[str], unchecked: str = "") -> None:
        self.subject = subject
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            text = f"{subject}: {self.problems[0]}"
        else:
            text = "\n  ".join([f"{subject} has {len(self.problems)} problems:", *self.problems])
        super().__init__(f"{text}\n{unchecked}" if unchecked else text)


class UnknownNameError(ConfigError):
    """A name that nothing is registered under.

    Args:
        kind: What the name should have named, e.g. "indicator".
        name: The name as it was given.
        known: All names that would have been right.
        where: The place in the config or the command, if there is one.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        hint = one_by_one([name]) or did_you_mean(name, self.known)
        if not hint and 0 < len(self.known) <= 12:
            hint = f" Known: {', '.join(self.known)}."
        super().__init__(f"{where + ': ' if where else ''}unknown {kind} {shortened(name)}.{hint}")


class IntervalError(ConfigError):
    """A bar interval that cannot be read, or that no stored interval can build."""


class CalendarError(OpenbellError):
    """A day or a time that the exchange's calendar does not have."""


class DataError(OpenbellError):
    """Data that is missing, broken or in the wrong place."""


class StoreError(DataError):
    """A folder that is no openbell store, or a store that cannot be read or written."""


class NotAStoreError(StoreError):
    """A folder that is no store and cannot become one."""


class UnansweredError(StoreError):
    """Object storage that does not answer, or stays busy, until openbell stops retrying."""


class DamagedFileError(DataError):
    """A file of the store that cannot be read.

    Args:
        path: The file.
        cause: The reader's message.
        remedy: What to do; by default, what to do about a file of bars or actions.
    """

    def __init__(self, path: Path, cause: str, remedy: str | None = None) -> None:
        self.path = path
        self.cause = cause
        store = next((above.parent for above in path.parents if above.name in ("bars", "actions")), path.parent)
        advice = remedy or f"Set it aside with `{command_on('data repair', store)}`, then import its data again."
        super().__init__(f"{path} is damaged ({cause}). {advice}")


class UnreadableFileError(DamagedFileError):
    """A file of the store that the system does not let this user read.

    Args:
        path: The file.
        cause: The system's message.
    """

    def __init__(self, path: Path, cause: str) -> None:
        self.path = path
        self.cause = cause
        DataError.__init__(
            self,
            f"{path} cannot be read ({cause}). It may be as it was stored: let this user read it, or repair the disk.",
        )


class DamagedObjectError(DamagedFileError):
    """An object of a store in object storage that is missing or is not what was stored.

    Args:
        address: Its address.
        cause: What is wrong.
        remedy: What to do.
    """

    def __init__(self, address: str, cause: str, remedy: str) -> None:
        self.path = Path(address)
        self.address = address
        self.cause = cause
        DataError.__init__(self, f"{address} is damaged ({cause}). {remedy}")


class BadBarsError(DataError):
    """Bars that contradict themselves, such as a high below the low or times out of order."""


class ShortfallError(DataError):
    """Fewer bars than were asked for, where the config says to reject that."""


class RunFolderError(OpenbellError):
    """A run folder that can no longer be written, which ends the run."""


class FeedError(OpenbellError):
    """A feed that cannot be reached, or that ends for good."""


class BrokerError(OpenbellError):
    """A broker that cannot be reached, that refuses the account's keys, or whose account is another one."""


class ProvisioningError(OpenbellError):
    """A request of which nothing could be provisioned."""


class OrderError(OpenbellError):
    """An order that is invalid, or given where orders cannot be given."""


class SessionOverError(ProvisioningError):
    """A change to a session that is over."""


class ComponentError(OpenbellError):
    """An exception of a scanner or strategy, which is the ``__cause__``.

    Args:
        component: The component, e.g. "strategy EmaCross".
        method: The method that raised, e.g. "on_bar".
        session_time: The session clock in exchange time, as ISO text.
        cause: The exception, or the whole message when there is no exception.
    """

    def __init__(self, component: str, method: str, session_time: str, cause: BaseException | str) -> None:
        self.component = component
        self.method = method
        self.session_time = session_time
        raised = f"{component}.{method} raised {type(cause).__name__} at {session_time}: {cause}"
        super().__init__(cause if isinstance(cause, str) else raised)


class SubscriptionError(ComponentError):
    """A subscription to bars that cannot be provisioned.

    Args:
        component: The strategy, e.g. "strategy EmaCross".
        symbol: The symbol of the bars.
        interval: The interval of the bars.
        session_time: As for any `ComponentError`.
        reasons: Why the bars cannot be provisioned.
    """

    def __init__(self, component: str, symbol: str, interval: str, session_time: str, reasons: Iterable[str]) -> None:
        self.symbol = symbol
        self.interval = interval
        self.reasons = tuple(reasons)
        text = f"{component} subscribes to {symbol} {interval}, which cannot be provisioned at {session_time}"
        why = f": {' '.join(self.reasons)}" if self.reasons else ""
        super().__init__(component, "subscriptions", session_time, text + why)


def printable(text: str, most: int | None = None, *, lines: bool = False) -> str:
    """Return a text shortened, with terminal codes and other unprintable characters escaped.

    Args:
        text: A text from a file, a user's code or a server.
        most: The number of characters after which it is cut; not cut unless given.
        lines: Whether line ends and tabs stay.
    """
    shown = text if most is None or len(text) <= most else f"{text[:most]}..."
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() or (lines and c in "\n\t") else _escaped(c) for c in shown)


def shortened(text: str) -> str:
    """Return an untrusted text shortened, quoted and escaped, to be shown in a message."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def encodable(text: str) -> str:
    """Return a text with its surrogates, which UTF-8 cannot encode, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
