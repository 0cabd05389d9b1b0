"""The Parquet store of bars: its files, its manifest, and writes that are done in full or not at all."""
