"""One virtual environment per peer under ``.bench/venvs``, pinned by ``peers/<name>.txt``, made when it is missing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".bench"
PYTHONS = {
    "openbell": ("3.11", "3.12", "3.13"),
    "nautilus": ("3.13", "3.12"),
    "zipline": ("3.12",),
    "backtrader": ("3.13", "3.12", "3.11"),
}
PYTHONS |= {"vectorbt": ("3.13", "3.12", "3.11"), "plots": ("3.13", "3.12", "3.11")}
"""The Python versions that the pinned releases run on, the preferred first."""


class UnavailableError(Exception):
    """An environment cannot be made; the message says why, for the results."""


def python_of(engine: str) -> Path:
    """The interpreter that an engine's script runs with; variants (``zipline_history``) share their engine's, and the
    floor openbell's.

    Raises:
        UnavailableError: There is no such Python on this machine, or its packages cannot be installed.
    """
    engine = engine.partition("_")[0].replace("floor", "openbell")
    folder = CACHE / "venvs" / engine
    requirements = ROOT / "benchmarks" / "peers" / f"{engine}.txt"
    stamp = folder / ".installed"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        interpreter = find_python(PYTHONS[engine])
        CACHE.mkdir(exist_ok=True)
        (CACHE / ".gitignore").write_text("*\n")
        print(f"making the environment of {engine} (once; some minutes) ...", flush=True)
        install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--requirement", requirements]
        for command in ([interpreter, "-m", "venv", "--clear", folder], install):
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                raise UnavailableError(f"its packages cannot be installed: {last}")
        stamp.write_text(digest)
    return folder / "bin" / "python"


def find_python(versions: tuple[str, ...]) -> str:
    """The first Python of these versions that really runs, on the PATH or among those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in versions:
        candidates = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}*/bin/python{version}"))]
        for candidate in filter(None, candidates):
            # A shim of pyenv is there and executable although the version behind it is not active.
            if subprocess.run([candidate, "--version"], check=False, capture_output=True).returncode == 0:
                return str(candidate)
    raise UnavailableError(f"needs Python {' or '.join(versions)}, and there is none on this machine")
