"""Bars and corporate actions from vendors' servers: only what the store lacks, stored as it comes."""
