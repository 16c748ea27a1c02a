"""What a device's token lets it do: its own task types, its own stores, its own name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dashcam import Explained
from dashcam.config.pools import MayBeMissing, Pool, pools_of
from dashcam.tasks.chain import POOLS, STAGES


class OutOfScope(Explained):
    """The device may not do that; the message says what its token is for."""


@dataclass(frozen=True)
class Scope:
    hostname: str
    task_types: frozenset[str]
    stores: frozenset[str]

    @property
    def pools(self) -> frozenset[str]:
        return frozenset(stage.pool for kind, stage in STAGES.items() if kind in self.task_types)

    def of_tasks(self, task_types: Iterable[str]) -> None:
        """Raises `OutOfScope` where one of them is another device's."""
        for task_type in task_types:
            if task_type not in self.task_types:
                mine = ", ".join(sorted(self.task_types)) or "no tasks"
                raise OutOfScope(f"The token of {self.hostname} is for {mine}, not for {task_type}.")

    def of_pool(self, pool: str | None) -> None:
        """Raises `OutOfScope` where it is not a pool whose tasks are its own; None is all of them."""
        if pool is None or pool not in self.pools:
            mine = ", ".join(sorted(self.pools)) or "none"
            raise OutOfScope(f"The token of {self.hostname} is for the pool {mine}: ask for its tasks only.")

    def of_stores(self, stores: Iterable[str]) -> None:
        for store in stores:
            if store not in self.stores:
                mine = ", ".join(sorted(self.stores)) or "no store"
                raise OutOfScope(f"The token of {self.hostname} is for {mine}, not for the store {store}.")

    def of_name(self, hostname: str) -> None:
        """A machine reports under its name, for each further pool as ``<name>-<pool>``."""
        short = self.hostname.partition(".")[0]
        if hostname not in {self.hostname, short, *(f"{short}-{pool}" for pool in POOLS)}:
            raise OutOfScope(f"The token of {self.hostname} does not speak for {hostname}.")


def tasks_of(device_type: str, covered_by: Mapping[MayBeMissing, Pool] | None = None) -> list[str]:
    """The task types of a device of this type, by its pool and those that it covers (`Site.covered_by`);
    ``ValueError`` for an unknown type."""
    pools = pools_of(device_type, covered_by or {})
    return [kind.value for kind, stage in STAGES.items() if stage.pool in pools]
