"""The ``openbell`` command as ``python -m openbell``."""

from openbell.cli.app import main

main()
