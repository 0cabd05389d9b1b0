"""Output, tables, options, errors and signals of all commands."""
