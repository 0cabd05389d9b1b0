"""Record of a live run, from which a killed run goes on and of which its backtest is made."""
