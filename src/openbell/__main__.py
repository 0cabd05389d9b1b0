"""The ``openbell`` command, also as ``python -m openbell``."""

from __future__ import annotations

import signal
import threading

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    # Until the commands are there, Ctrl-C ends the process as it ends one without Python.
    handler = signal.getsignal(signal.SIGINT)
    mine = handler is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if mine:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from openbell.cli import app

    if mine:
        signal.signal(signal.SIGINT, handler)
    app.main()


if __name__ == "__main__":
    main()
