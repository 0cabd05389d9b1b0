"""The Parquet store of bars, written in full or not at all."""
