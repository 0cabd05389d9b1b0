"""Base class of scanners, which look through a universe for symbols worth a session's attention."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from openbell.components.context import SessionContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openbell.components.requirement import Requirement

__all__ = ["Scanner", "ScannerContext"]


class ScannerContext(SessionContext):
    """A session as a scanner sees it.

    Attributes:
        universe: The symbols to look through, as the config lists them.
    """

    universe: tuple[str, ...] = ()


class Scanner(ABC):
    """Base class of scanners, of which a subclass defines `scan`.

    The config names it as ``module:Class`` or ``file.py:Class``. A new object is made for every session day, so that
    nothing survives from one to the next by accident.

    Args:
        context: The session.
        config: The section ``config`` of this scanner's entry in the config.
    """

    def __init__(self, context: ScannerContext, config: Mapping[str, Any]) -> None:
        self.context = context
        self.config = config

    def requirements(self) -> Iterable[Requirement]:
        """Return the bars and indicators that it needs, so that `check` and `plan` show them.

        Optional. They are provisioned before `setup`. `check` calls this before there is a session: only the config may
        be read, and ``universe``, ``symbols``, ``session_date`` and ``session`` of the context.
        """
        return ()

    def setup(self) -> None:  # noqa: B027 -- may be left as it is
        """Prepare for the day before the first scan, such as by adding the indicators that it reads."""

    @abstractmethod
    def scan(self) -> Iterable[str] | None:
        """Look for symbols, before the open and on schedule as the config says.

        Returns:
            The symbols that were found, for the record. The scanner itself adds and removes symbols, through its
            context.
        """

    def teardown(self) -> None:  # noqa: B027 -- may be left as it is
        """Clean up after the close."""
