"""Sessions at the wall clock, that equal their backtest."""
