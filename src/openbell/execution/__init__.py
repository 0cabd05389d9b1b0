"""Orders, brokers, the account and its rules."""
