"""Detection of the settings by which a file is to be imported."""
