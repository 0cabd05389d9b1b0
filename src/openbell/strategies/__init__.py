"""Strategies watch bars as they close and give signals; derive yours from `Strategy`."""

from openbell.strategies.base import Signal, Strategy, StrategyContext

__all__ = ["Signal", "Strategy", "StrategyContext"]
