"""Address of a Ray cluster."""

from __future__ import annotations

from dataclasses import dataclass

from openbell.errors import ConfigError

__all__ = ["ClusterAddress", "cluster_of"]


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """The Ray cluster that runs a sweep.

    Attributes:
        address: The address of its head node, such as "10.0.0.5:6379", or "auto". None stands for the address in
            RAY_ADDRESS or, without that, a new cluster of this machine alone.
    """

    address: str | None = None


def cluster_of(executor: str, address: str | None) -> ClusterAddress | None:
    """Return the cluster of the executor "ray", or None for "local".

    Raises:
        ConfigError: There is no such executor, or "local" is given an address.
    """
    if executor == "ray":
        return ClusterAddress(address)
    if executor != "local":
        raise ConfigError(f"--executor {executor}: points are run by local, in processes of this machine, or by ray.")
    if address is not None:
        raise ConfigError("--address is that of a Ray cluster. Write --executor ray with it.")
    return None
