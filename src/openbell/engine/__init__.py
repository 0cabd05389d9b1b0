"""The running of sessions, day by day."""
