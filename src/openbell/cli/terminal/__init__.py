"""What all commands share: output, tables, options, errors and signals."""
