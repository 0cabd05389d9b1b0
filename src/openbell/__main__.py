"""The ``openbell`` command, also as ``python -m openbell``."""

from __future__ import annotations

import os
import signal

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    # OpenBLAS, which comes with NumPy, lets idle threads spin for a tenth of a second before they sleep.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    # Until the commands are there, Ctrl-C ends the process as it ends one without Python.
    handler = signal.getsignal(signal.SIGINT)
    mine = handler is signal.default_int_handler and _take(signal.SIG_DFL)
    from openbell.cli import app

    if mine:
        _take(handler)
    app.main()


def _take(handler: signal._HANDLER) -> bool:
    """Let a handler have Ctrl-C, and return whether this thread may."""
    try:
        signal.signal(signal.SIGINT, handler)
    except ValueError:  # not the main thread
        return False
    return True


if __name__ == "__main__":
    main()
