"""How many examples hypothesis makes of a property."""

from __future__ import annotations

import os

USUAL = 30
EXAMPLES = int(os.environ.get("OPENBELL_EXAMPLES", str(USUAL)))


def examples(usual: int) -> int:
    """So many where an example takes long, and in proportion more with OPENBELL_EXAMPLES."""
    return max(1, usual * EXAMPLES // USUAL)
