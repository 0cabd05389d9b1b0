"""Record of a live run, from which a killed run is resumed and its backtest is made."""
