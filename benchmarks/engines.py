"""Run one engine's script on one job in a process and environment of its own, and read its result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.environments import CACHE, ROOT, UnavailableError, python_of

TIMEOUT_S = 1800


def run(engine: str, job: dict[str, Any], script: str = "", *arguments: str) -> dict[str, Any]:
    """Run ``peers/<engine><script>.py`` on a job, or ``peers/<engine>.py`` when there is no special one.

    Returns:
        Its result, with its crossings, or ``{"failed": reason}``.
    """
    try:
        python = python_of(engine) if job["pinned"] else Path(sys.executable)
    except UnavailableError as error:
        return {"failed": str(error)}
    if not (ROOT / "benchmarks" / "peers" / f"{engine}{script}.py").exists():
        script = ""
    folder = CACHE / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    crossings, fills = (folder / f"{engine}-{what}.json" for what in ("crossings", "fills"))
    for told in (crossings, fills):
        told.unlink(missing_ok=True)
    file = folder / f"{engine}.json"
    file.write_text(json.dumps({**job, "crossings": str(crossings), "fills": str(fills)}))
    # -P: the script's folder must not shadow the engines, whose names its files bear.
    command = [python, "-P", "-c", _MAIN, f"benchmarks.peers.{engine}{script}", str(ROOT), str(file), *arguments]
    # openbell keeps its bytecode, as whatever pip installs does: else it alone would be compiled in every run.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        done = subprocess.run(
            command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"did not finish in {TIMEOUT_S} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        (folder / f"{engine}-failed.txt").write_text(done.stderr)
        return {"failed": f"ended with code {done.returncode}: {last}"}
    result = json.loads(lines[-1])
    if crossings.exists():
        result["crossings"] = [tuple(crossing) for crossing in json.loads(crossings.read_text())]
    if fills.exists():
        result["fills"] = [tuple(fill) for fill in json.loads(fills.read_text())]
    return result


_MAIN = (
    "import sys, runpy; module, root = sys.argv[1:3]; sys.path.append(root); "
    "sys.argv = [module, *sys.argv[3:]]; runpy.run_module(module, run_name='__main__', alter_sys=True)"
)
