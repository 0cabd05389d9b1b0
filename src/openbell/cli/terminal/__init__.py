"""Output, tables, errors and signals of all commands."""
