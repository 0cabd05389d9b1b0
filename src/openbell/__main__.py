"""The ``openbell`` command, also as ``python -m openbell``."""

from __future__ import annotations

import os
import signal

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    # OpenBLAS, which comes with NumPy, lets idle threads spin for a tenth of a second before they sleep.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    # While the commands are imported, Ctrl-C ends the process at once, without a traceback.
    handler = signal.getsignal(signal.SIGINT)
    is_replaced = handler is signal.default_int_handler and _set_sigint_handler(signal.SIG_DFL)
    from openbell.cli import app

    if is_replaced:
        _set_sigint_handler(handler)
    app.main()


def _set_sigint_handler(handler: signal._HANDLER) -> bool:
    """Install a handler of Ctrl-C, and return whether this thread may."""
    try:
        signal.signal(signal.SIGINT, handler)
    except ValueError:  # not the main thread
        return False
    return True


if __name__ == "__main__":
    main()
