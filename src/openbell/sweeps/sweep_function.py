"""Sweeps from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbell.config import SessionConfig, load_config
from openbell.config.reading import read_sweep
from openbell.errors import ConfigError
from openbell.model.address import place_of
from openbell.sweeps.cluster_address import cluster_of
from openbell.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from openbell.config.sweep import SweepConfig
    from openbell.model.address import Place
    from openbell.sweeps.sweep import SweepObserver

__all__ = ["space_of", "sweep"]


def sweep(
    config: SessionConfig | Mapping[str, Any] | Path | str,
    space: Mapping[str, object] | None = None,
    *,
    where: str | Sequence[str] | None = None,
    objective: str | None = None,
    random: int | None = None,
    optuna: int | None = None,
    seed: int | None = None,
    store: Place | str | None = None,
    out: Path | str | None = None,
    whole: bool = False,
    jobs: int | None = None,
    executor: str = "local",
    address: str | None = None,
    observers: Iterable[SweepObserver] = (),
) -> pl.DataFrame:
    """Run a config at the points of a space of values, and return a table of them.

    Points that were run before in the same folder, with the same config, code and bars, are not run again.

    Args:
        config: A config, or what `load_config` takes.
        space: The values to try. A key of the config, such as "strategies.0.config.fast", has a list of values or a
            range such as "5:50:5", which includes both ends. Unless given, this argument and the next five are those of
            the config's ``sweep``.
        where: Conditions that points must meet, such as "fast < slow".
        objective: The number of the performance by which points are compared.
        random: How many points are drawn at random; all points of the grid unless given.
        optuna: How many points optuna proposes by the results of earlier ones (extra ``optuna``).
        seed: The seed of draws and proposals.
        store: The folder of the store; the config's unless given.
        out: The folder of the sweep; ``sweeps/<session>`` in the current folder unless given.
        whole: Whether the points' folders get all files of a run, and not only config, signals and trades.
        jobs: How many processes run points side by side; unless given, this one alone, or one for each processor of a
            cluster. A script that uses several must call this below ``if __name__ == "__main__":``, because each
            process imports the script.
        executor: Where points are run: "local", or "ray" for a Ray cluster (extra ``ray``).
        address: The Ray cluster, such as "10.0.0.5:6379"; ``RAY_ADDRESS``, or one of this machine, unless given.
        observers: Receive points as they are done.

    Returns:
        A row for each point: ``point``, a column by key, ``state``, ``error``, the numbers of `Performance`,
        ``signals``, ``warm_up``, ``sessions``, ``load_s``, ``run_s``, ``run``, ``days``, ``returns`` and ``warnings``.

    Raises:
        ConfigError: A key does not exist, a value is wrong, or no key varies.
        RunFolderError: The folder can no longer be written.
    """
    if not isinstance(config, SessionConfig):
        config = load_config(config)
    cluster = cluster_of(executor, address)
    given = {
        "space": space,
        "where": where,
        "objective": objective,
        "random": random,
        "optuna": optuna,
        "seed": seed,
    }
    made = Sweep(
        config,
        space_of(config, {name: value for name, value in given.items() if value is not None}),
        store=None if store is None else place_of(store),
        folder=None if out is None else Path(out),
        whole=whole,
    )
    return made.run(observers, jobs=jobs, cluster=cluster)


def space_of(config: SessionConfig, given: Mapping[str, Any]) -> SweepConfig:
    """Return the config of a sweep, with given values in place of those of the config's ``sweep``.

    Raises:
        ConfigError: No key varies, or a value is wrong.
    """
    written = {} if config.sweep is None else config.sweep.model_dump(exclude_unset=True)
    if "random" in given or "optuna" in given:
        written = {name: value for name, value in written.items() if name not in ("random", "optuna")}
    values = {**written, **given}
    if "space" not in values:
        raise ConfigError(
            "nothing varies. Name a key of the config and its values with --set strategies.0.config.fast=5:50:5, or "
            "write a section sweep: in the config."
        )
    return read_sweep(values, "the sweep")
