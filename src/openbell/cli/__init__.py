"""The ``openbell`` command line."""
