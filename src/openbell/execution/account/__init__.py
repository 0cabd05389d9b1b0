"""The account, what it holds, and the rules of margin and cash that bound it."""
