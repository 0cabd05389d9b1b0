"""Runs of strategies that follow random scripts of orders on one account, with all that they did and heard."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Any

from execution.random_trading import INTERVAL, made_account, made_config, made_script, name_on
from openbell.components.strategy import Strategy
from openbell.engine.system import SystemManager
from openbell.errors import OrderError
from openbell.model.order import Order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from execution.random_trading import Call
    from openbell.market_data.data_manager import DataManager
    from openbell.results.result import RunResult
    from openbell.session.cross_section import CrossSection


@dataclass(frozen=True)
class Account:
    """An account and the scripts on it, by numbers of which all follows.

    Attributes:
        number: Of the account.
        scripts: The number of each script, and how many steps it takes.
    """

    number: int
    scripts: Sequence[tuple[int, int]]


@dataclass
class Noted:
    """Notes of all strategies of a run.

    Attributes:
        placed: The ids of orders that were given.
        heard: Every change of an order, in order.
        seen: At each bar of the first strategy, equity, and cash with the worth of all positions.
    """

    placed: set[str] = field(default_factory=set)
    heard: list[Order] = field(default_factory=list)
    seen: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Part:
    """What one strategy does in a run; its steps go on from session to session.

    Attributes:
        watches: The symbol at whose bars it acts.
        script: What it does at which of them.
        noted: The notes of the run.
        is_first: Whether it is the first strategy, which also notes what concerns all.
        step: How many bars it has seen.
    """

    watches: str
    script: dict[int, list[Call]]
    noted: Noted
    is_first: bool
    step: int = 0

    def __deepcopy__(self, _: object) -> Part:
        """It stays the same one, where each session gets a copy of the config."""
        return self


class Scripted(Strategy):
    """Follows a script, a step at each of its bars."""

    def setup(self) -> None:
        self.part: Part = self.config["part"]

    def subscriptions(self) -> list[tuple[str, str]]:
        return [(self.part.watches, INTERVAL)]

    def on_order(self, order: Order) -> None:
        if order.strategy or self.part.is_first:
            self.part.noted.heard.append(order)

    def on_slice(self, bars: CrossSection) -> None:
        part, portfolio = self.part, self.context.portfolio
        if part.is_first:
            worth = fsum(position.value for position in portfolio.positions.values())
            part.noted.seen.append((portfolio.equity, portfolio.cash + worth))
        part.step += 1
        for method, values in part.script.get(part.step, ()):
            try:
                self._call(method, values)
            except OrderError as error:
                assert "needs its price" in str(error)  # noqa: PT017  a symbol that has not traded yet

    def _call(self, method: str, values: dict[str, Any]) -> None:
        if method == "replace":
            for order in self.context.portfolio.open_orders()[:1]:
                self.context.replace(order, quantity=order.quantity + (3 if order.quantity > 0 else -3))
            return
        if "symbol" in values:
            values = values | {"symbol": name_on(values["symbol"], self.context.session_date)}
        given = getattr(self.context, method)(**values)
        if method == "bracket":
            self.part.noted.placed.update(order.id for order in given)
        elif isinstance(given, Order):
            self.part.noted.placed.add(given.id)


@dataclass
class Played:
    """A run that is over.

    Attributes:
        account: What was run.
        execution: Its section execution.
        symbols: The symbols that were traded, by their first names.
        noted: What strategies noted.
        system: The engine.
        result: The result.
    """

    account: Account
    execution: dict[str, Any]
    symbols: list[str]
    noted: Noted
    system: SystemManager
    result: RunResult


def played(account: Account, data_manager: DataManager) -> Played:
    """Run an account."""
    execution, symbols = made_account(account.number)
    noted = Noted()
    system = SystemManager(
        {
            **made_config(execution, symbols),
            "strategies": [
                {
                    "module": "execution.scripted:Scripted",
                    "name": f"script{at}",
                    "config": {"part": Part(symbols[at % 2], made_script(*script, symbols), noted, is_first=at == 0)},
                }
                for at, script in enumerate(account.scripts)
            ],
        },
        data_manager=data_manager,
    )
    return Played(account, execution, symbols, noted, system, system.run())
