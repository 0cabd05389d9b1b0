"""openbell: declare what a trading session needs; openbell proves the data is there, provisions it and runs it."""
