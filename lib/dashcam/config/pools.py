"""Which Prefect work pool a device of each type works for, and for which others where their devices are missing."""

from collections.abc import Mapping
from typing import Literal

DeviceType = Literal["main_server", "jetson_coral", "rtx_4090", "indoor_nas", "shed_nas"]
Pool = Literal["server", "jetson", "gpu", "nas"]
MayBeMissing = Literal["jetson", "gpu", "nas"]
"""The pools that a site may have no devices for: the main server is always there."""
POOLS: dict[str, str] = {
    "main_server": "server",
    "jetson_coral": "jetson",
    "rtx_4090": "gpu",
    "indoor_nas": "nas",
    "shed_nas": "nas",
}
"""The Prefect work pool of each device type."""
DEVICE_TYPE_OF: dict[str, DeviceType] = {
    "server": "main_server",
    "jetson": "jetson_coral",
    "gpu": "rtx_4090",
    "nas": "shed_nas",
}
"""The device type that a pool's tasks are meant for."""


def pool_of(device_type: str) -> str:
    """The work pool that a device of this type serves; ``ValueError`` for an unknown type."""
    try:
        return POOLS[device_type]
    except KeyError:
        raise ValueError(f"{device_type!r} is not a device type; allowed are {', '.join(POOLS)}") from None


def pools_of(device_type: str, covered_by: Mapping[MayBeMissing, Pool]) -> list[str]:
    """The pools that a device of this type works for: its own first, then those of a site (`Site.covered_by`) that
    have no devices of their own and are left to it. ``ValueError`` for an unknown type."""
    its_own = pool_of(device_type)
    return [its_own, *(pool for pool, covering in covered_by.items() if covering == its_own)]
