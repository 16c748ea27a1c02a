"""Which Prefect work pool a device of each type works for."""

from typing import Literal

DeviceType = Literal["main_server", "jetson_coral", "rtx_4090", "indoor_nas", "shed_nas"]
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
