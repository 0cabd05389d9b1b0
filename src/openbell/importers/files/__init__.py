"""Files to import, in folders or object storage, compressed or not."""
