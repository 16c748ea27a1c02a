"""All checks, in the order in which one makes the next possible."""

from collections.abc import Collection, Iterator

from dashcam.doctor import accelerators, machine, reach, settings, stores
from dashcam.doctor.finding import Finding
from dashcam.doctor.host import Host, Look, looked_at

CHECKS: dict[str, Look] = {
    "python": machine.python,
    "packages": machine.packages,
    "encoding": machine.encoding,
    "codecs": machine.codecs,
    "settings": settings.settings,
    "token": settings.token,
    "scratch": machine.scratch,
    "stores": stores.stores,
    "sqlite": machine.sound_sqlite,
    "models": machine.weights,
    "coral": accelerators.coral,
    "gpu": accelerators.gpu,
    "logs": machine.logs,
    "prefect": reach.prefect,
    "server": reach.server,
}


def examine(host: Host, only: Collection[str] = tuple(CHECKS)) -> Iterator[Finding]:
    """Each finding as soon as it is there; what the main server finds as well as this machine is said once."""
    said = set[str]()
    for name in only:
        for finding in looked_at(name, CHECKS[name], host):
            if finding.said not in said:
                yield finding
            said.add(finding.said)
