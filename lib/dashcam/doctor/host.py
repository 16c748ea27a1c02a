"""The machine that is looked at, with its settings as far as they can be read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dashcam import config
from dashcam.config import ConfigError, DeviceSettings, Site
from dashcam.doctor.finding import Finding, fault


@dataclass(frozen=True)
class Host:
    folder: Path
    """With the settings; it need not be there."""
    name: str | None = None
    """The device's; None is this machine's own."""
    data: Path | None = None
    """The data folder, where the embedded system is meant."""
    system: Path = Path("/")
    """What ``/sys`` and ``/proc`` are in."""
    token_file: Path | None = None
    """Only where it is not where the settings say."""
    site: Site | None = field(init=False, default=None)
    device: DeviceSettings | None = field(init=False, default=None)
    token: str | None = field(init=False, default=None)
    mistakes: tuple[str, ...] = field(init=False, default=())
    """What is wrong with the settings, one sentence each."""
    token_mistake: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        said: list[str] = list(config.check(self.folder)) if self.folder.is_dir() else []
        known = dict[str, object]()
        try:
            known["site"] = config.load_site(self.folder)
            known["device"] = config.load_device(self.folder, self.name)
        except ConfigError as error:
            said += [sentence for sentence in error.sentences if sentence not in said]
        try:
            known["token"] = config.token(self.folder)
        except ConfigError as error:
            known["token_mistake"] = " ".join(error.sentences)
        for name, value in (known | {"mistakes": tuple(said)}).items():
            object.__setattr__(self, name, value)

    @property
    def is_main_server(self) -> bool:
        return self.device is not None and self.device.device_type == "main_server"


Look = Callable[[Host], Iterable[Finding]]


def looked_at(name: str, check: Look, host: Host) -> list[Finding]:
    """One check; what goes wrong with it is a finding too, so that the others go on."""
    try:
        return list(check(host))
    except Exception as error:  # a machine is wrong in ways that no check foresees, and that is when it is looked at
        said = f"It could not be looked at ({type(error).__name__}: {error})."
        return [fault(name, said, "See to what the message says; if it says nothing to you, send a support bundle.")]
