"""Stores in object storage, such as S3."""
