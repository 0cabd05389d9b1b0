"""The one way to bars: stored history, cached, adjusted to a day, aggregated and measured."""
