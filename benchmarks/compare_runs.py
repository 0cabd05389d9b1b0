"""Compare what two trees of source make of the same data: ``python -m benchmarks.compare_runs BEFORE AFTER``.

Each tree imports the same files, runs the demo and many configs, each in a process of its own. Compared are the bars in
the stores, and of every run its exit code, plan, summary, journal, signals, bars and indicators, byte for byte but for
durations and the names of folders. Texts for people are listed apart.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.compared_configs import SYMBOLS, configs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data" / "lean"
STORES = {"minutes": ["1m", "1d"], "seconds": ["1s"], "both": ["1s", "1m", "1d"]}
MOST_LISTED = 8
DURATIONS = {"ms", "load_s", "run_s"}
TEXTS = {"errors", "warnings", "reason", "dropped", "error", "message"}
EVENT_FILES = ("signals.jsonl", "scans.jsonl")
"""Files that the first trees do not write; they are compared with the summary."""
PROGRAM = "from openbell.cli.app import main; main()"


@dataclass
class Tree:
    """One tree of source, and the folder that it works in."""

    source: Path
    folder: Path

    def openbell(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a command of openbell in the folder."""
        environment = {**os.environ, "PYTHONPATH": str(self.source), "COLUMNS": "100"}
        command = [sys.executable, "-c", PROGRAM, *map(str, words)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip

    def import_data(self, data: Path) -> None:
        """Make all stores."""
        for name, intervals in STORES.items():
            picked = [word for interval in intervals for word in ("--interval", interval)]
            symbols = [word for symbol in SYMBOLS for word in ("--symbol", symbol)] if "1s" in intervals else []
            done = self.openbell("data", "import", "lean", data, "--store", name, *picked, *symbols)
            if done.returncode:
                sys.exit(f"{self.source}: the import of {name} failed:\n{done.stdout}{done.stderr}")

    def examples(self) -> dict[str, str]:
        """The references of the examples that openbell brings."""
        moved = (self.source / "openbell" / "examples").is_dir()
        strategies, scanners = ("examples", "examples") if moved else ("strategies", "scanners")
        return {"EmaCross": f"openbell.{strategies}.ema_cross:EmaCross", "Gap": f"openbell.{scanners}.gap:Gap"}

    def indicator_names(self) -> list[str]:
        """The names of all indicators that need no parameters."""
        return [one["name"] for one in json.loads(self.openbell("indicators", "--json").stdout)]


@dataclass
class Difference:
    """What differs between two runs of a config."""

    values: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def run(tree: Tree, name: str, store: str, config: dict[str, Any]) -> dict[str, Any]:
    """Run and plan a config, and return the exit codes; the results are in the folder ``runs/NAME``."""
    path = tree.folder / f"{name}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    done = tree.openbell("run", path, "--store", store, "--out", f"runs/{name}", "--bars", "--indicators", "--json")
    plan = tree.openbell("plan", path, "--store", store, "--json")
    for kind, result in (("run", done), ("plan", plan)):
        (tree.folder / "runs" / name).mkdir(parents=True, exist_ok=True)
        (tree.folder / "runs" / name / f"printed-{kind}.json").write_text(result.stdout or "null", encoding="utf-8")
    return {"run": done.returncode, "plan": plan.returncode, "stderr": done.stderr.replace(str(tree.folder), "FOLDER")}


def compared(before: Path, after: Path) -> Difference:
    """Compare all files of two folders."""
    found = Difference()
    files = [{p.relative_to(f) for p in f.rglob("*") if p.is_file()} for f in (before, after)]
    found.files += [f"only before: {p}" for p in sorted(files[0] - files[1])]
    for name in sorted(files[1] - files[0]):
        if name.name not in EVENT_FILES:
            found.files.append(f"only after: {name}")
        elif events(after / name) != events_of_summary(after / name.with_name("summary.json"), name.stem):
            found.values.append(f"{name} is not what summary.json holds")
    for name in sorted(files[0] & files[1]):
        old, new = before / name, after / name
        if name.suffix in (".json", ".jsonl"):
            for place, one, other in differing(content(old), content(new), str(name)):
                is_text = any(key in TEXTS for key in re.split(r"[.\[\]]+", place))
                (found.texts if is_text else found.values).append(f"{place}: {short(one)} -> {short(other)}")
        elif digest(old) != digest(new):
            found.values.append(f"{name}: {frames(old, new)}")
    return found


def events(path: Path) -> list[Any]:
    """The events of a file that the run writes as they happen."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def events_of_summary(path: Path, kind: str) -> list[Any]:
    """The same events as ``summary.json`` holds them."""
    days = json.loads(path.read_text(encoding="utf-8"))["days"]
    return [{"date": day["date"], **event} for day in days for event in day[kind]]


def content(path: Path) -> Any:
    """The JSON of a file, without durations and with its own folder's name taken out."""
    text = path.read_text(encoding="utf-8").replace(str(path_root(path)), "FOLDER")
    text = re.sub(
        r"openbell\.(strategies\.ema_cross|scanners\.gap)\b", lambda m: f"openbell.examples.{m[1].split('.')[1]}", text
    )
    values = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    return without_durations(values)


def path_root(path: Path) -> Path:
    """The folder of the tree that a file belongs to."""
    return next(parent for parent in path.parents if parent.name in ("before", "after"))


def without_durations(value: Any) -> Any:
    """A JSON value without the keys that tell how long something took."""
    if isinstance(value, dict):
        return {key: without_durations(item) for key, item in value.items() if key not in DURATIONS}
    return [without_durations(item) for item in value] if isinstance(value, list) else value


def differing(old: Any, new: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """The places at which two JSON values differ; the order of keys counts."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            if key not in old or key not in new:
                yield f"{place}.{key}", old.get(key, "(missing)"), new.get(key, "(missing)")
            else:
                yield from differing(old[key], new[key], f"{place}.{key}")
        if list(old) != list(new) and old.keys() == new.keys():
            yield f"{place} (order)", list(old), list(new)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differing(one, other, f"{place}[{number}]")
    elif old != new or type(old) is not type(new):
        yield place, old, new


def frames(old: Path, new: Path) -> str:
    """How two Parquet files differ."""
    import polars as pl

    if old.suffix != ".parquet":
        return "other bytes"
    one, other = pl.read_parquet(old), pl.read_parquet(new)
    if one.schema != other.schema or one.height != other.height:
        return f"{one.height} rows of {dict(one.schema)} -> {other.height} rows of {dict(other.schema)}"
    columns = [name for name in one.columns if not one[name].equals(other[name], null_equal=True)]
    return f"other values in {', '.join(columns)}" if columns else "the same values in other bytes"


def digest(path: Path) -> str:
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def short(value: Any) -> str:
    """The beginning of a value's JSON."""
    text = json.dumps(value)
    return text if len(text) <= 160 else f"{text[:157]}..."


def listed(found: Difference) -> Iterator[str]:
    """The lines of a report."""
    for title, lines in (("values", found.values), ("texts", found.texts), ("files", found.files)):
        if lines:
            yield f"  {title}: {len(lines)}"
            yield from (f"    {line}" for line in lines[:MOST_LISTED])
            if len(lines) > MOST_LISTED:
                yield f"    and {len(lines) - MOST_LISTED} more"


def compare(trees: tuple[Tree, Tree], data: Path, only: Sequence[str]) -> bool:
    """Run all on both trees and print what differs; returns whether all that must be equal is."""
    with ThreadPoolExecutor(len(trees)) as pool:
        list(pool.map(lambda tree: tree.import_data(data), trees))
        names = list(pool.map(Tree.indicator_names, trees))
        good = names[0] == names[1]
        print("indicators:", "equal" if good else f"{set(names[0]) ^ set(names[1])} differ")
        for store in STORES:
            good &= shown(f"store {store}", compared(*(tree.folder / store / "bars" for tree in trees)))
        sets = [configs(tree.examples(), names[0]) for tree in trees]
        for name in (name for name in sets[0] if not only or name in only):
            jobs = [(tree, name, *both[name][:2]) for tree, both in zip(trees, sets, strict=True)]
            ends = list(pool.map(lambda job: run(*job), jobs))
            found = compared(*(tree.folder / "runs" / name for tree in trees))
            for kind in ("run", "plan"):
                if ends[0][kind] != ends[1][kind]:
                    found.values.append(f"{kind}: exit code {ends[0][kind]} -> {ends[1][kind]}")
            if ends[0]["stderr"] != ends[1]["stderr"]:
                found.texts.append(f"stderr: {short(ends[0]['stderr'])} -> {short(ends[1]['stderr'])}")
            good &= shown(f"{name} (exit {ends[1]['run']})", found, sets[0][name].changed)
        if not only or "demo" in only:
            list(pool.map(demo, trees))
            good &= shown("demo", compared(*(tree.folder / "demo-run" for tree in trees)))
    return good


def demo(tree: Tree) -> None:
    """Run the demo, and put its store and run into the folder ``demo-run``."""
    done = tree.openbell("demo", "--json")
    folder = tree.folder / "demo-run"
    (made,) = (tree.folder / "openbell-demo" / "runs").iterdir()
    shutil.copytree(made, folder)
    shutil.copytree(tree.folder / "openbell-demo" / "store" / "bars", folder / "store")
    (folder / "printed.json").write_text(done.stdout, encoding="utf-8")


def shown(name: str, found: Difference, changed: str = "") -> bool:
    """Print the comparison of one run; returns whether it is as it must be."""
    equal = not (found.values or found.texts or found.files)
    purpose = f"; on purpose: {changed}" if changed and not equal else ""
    print(f"{name}: {'equal' if equal else 'differs'}{purpose}", *listed(found), sep="\n", flush=True)
    return bool(changed) or not found.values


def main() -> int:
    """Compare two trees as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_runs", description=__doc__)
    parser.add_argument("before", type=Path, help="the folder that holds the package openbell as it was")
    parser.add_argument("after", type=Path, nargs="?", default=HERE.parent / "src", help="as it is; src unless given")
    parser.add_argument("--data", type=Path, default=DATA, help="a folder of market data in LEAN's layout")
    parser.add_argument("--only", action="append", default=[], metavar="CONFIG", help="a config to compare; repeatable")
    parser.add_argument("--keep", type=Path, help="a new folder that keeps stores and runs")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="compare-") as temporary:
        root = arguments.keep or Path(temporary)
        trees = (Tree(arguments.before.resolve(), root / "before"), Tree(arguments.after.resolve(), root / "after"))
        for tree in trees:
            tree.folder.mkdir(parents=True)
            shutil.copy(HERE / "compared_components.py", tree.folder)
        return 0 if compare(trees, arguments.data.resolve(), arguments.only) else 1


if __name__ == "__main__":
    sys.exit(main())
