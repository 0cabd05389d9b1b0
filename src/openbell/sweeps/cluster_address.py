"""Address of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from openbell.errors import ConfigError

__all__ = ["ClusterAddress", "cluster_of"]


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """The Ray cluster that runs a sweep.

    Attributes:
        address: Where its head node is, such as "10.0.0.5:6379", or "auto"; None: what RAY_ADDRESS says, or a new
            cluster of this machine alone.
    """

    address: str | None = None


def cluster_of(executor: str, address: str | None) -> ClusterAddress | None:
    """Return the cluster that an executor asks for, or None for this machine.

    Raises:
        ConfigError: There is no such executor, or an address is given to that of this machine.
    """
    if executor == "ray":
        return ClusterAddress(address)
    if executor != "local":
        raise ConfigError(f"--executor {executor}: points are run by local, in processes of this machine, or by ray.")
    if address is not None:
        raise ConfigError("--address is that of a Ray cluster. Write --executor ray with it.")
    return None
