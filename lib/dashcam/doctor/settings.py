"""Checks of the settings and of the token in them."""

from collections.abc import Iterator

from dashcam.doctor.finding import Finding, fault, of_sentence, ok, skipped, warning
from dashcam.doctor.host import Host


def settings(host: Host) -> Iterator[Finding]:
    if not host.folder.is_dir():
        said = f"There is no folder {host.folder} with settings: this machine belongs to no site."
        remedy = "Name the folder in DASHCAM_CONFIG, or copy config/ of the release there and adapt it."
        yield fault("settings", said, remedy)
        return
    for mistake in host.mistakes:
        at = "; " if "; known are" not in mistake else "\n"  # which are known is no remedy yet
        yield of_sentence("settings", mistake, "Correct it in that file; docs/settings.md has every key.", at=at)
    if not host.mistakes:
        who = f", this is {host.device.hostname} ({host.device.device_type})" if host.device else ""
        yield ok("settings", f"{host.folder} is in order{who}")


def token(host: Host) -> Iterator[Finding]:
    if not host.folder.is_dir():
        yield skipped("token", "It lies in the folder with settings.")
        return
    if host.token_mistake is not None:
        yield of_sentence("token", host.token_mistake, "Correct the file.")
    elif host.token is None:
        where = host.folder / "token"
        said = "This device has no token, so the main server will not hear it."
        yield fault("token", said, f"Write its token into {where} and run `chmod 600 {where}`.")
    elif len(host.token) < 16:
        said = "The device's token is so short that it can be guessed."
        yield warning("token", said, "Give it a new one of 32 characters.")
    else:
        yield ok("token", "there, and readable by this user only")
