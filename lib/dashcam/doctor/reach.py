"""Checks of the way from this machine to the main server and to Prefect, and of what the main server says of itself."""

import base64
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from dashcam import config
from dashcam.config import Site
from dashcam.doctor.finding import Finding, fault, of_sentence, ok, skipped, warning
from dashcam.doctor.host import Host

PATIENCE_S = 10.0
SKEW_S, MOST_SKEW_S = 5.0, 60.0
"""Beyond the first, times on pages and in logs do not fit; beyond the second, log-ins and certificates fail."""


def trouble(url: str, what: str) -> tuple[str, str] | None:
    """Why nobody is reached at that address, and what to do; None where a connection is made. Name, port and
    certificate one after the other, as each has a remedy of its own."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.getaddrinfo(host, port)
    except OSError as error:
        said = f"The name {host} of {what} is not known on this machine ({error.strerror or error})."
        return said, f"Correct the address {url} in config.json, or give {host} a line in /etc/hosts or in the router."
    try:
        with socket.create_connection((host, port), timeout=PATIENCE_S) as there:
            if isinstance(context := config.certificates(url), ssl.SSLContext):
                context.wrap_socket(there, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        said = f"The certificate of {what} at {url} is not accepted here ({error.verify_message})."
        return (
            said,
            "Install the site's own root certificate on this machine (authority.crt beside config.json, or "
            "SSL_CERT_FILE), or renew it.",
        )
    except OSError as error:
        said = f"Nothing answers at {host}:{port}, where {what} should be ({error.strerror or error})."
        return said, f"Start {what}, let its firewall pass port {port}, or correct its address in config.json."
    return None


def reached(check: str, host: Host, what: str, address: Callable[[Site], str]) -> str | Finding:
    """Where it is by the settings; or why nobody can be asked there."""
    if host.site is None:
        return skipped(check, "Its address cannot be read from the settings.")
    url = address(host.site)
    if (found := trouble(url, what)) is None:
        return url
    if host.data is not None:
        return warning(check, f"dashcam does not run on {host.data}.", f"`dashcam up --data {host.data}` starts it.")
    return fault(check, *found)


def server(host: Host) -> Iterator[Finding]:
    """The main server answers, its clock is this one's, and it knows this device."""
    url = reached("server", host, "the main server", lambda site: site.server.url)
    if isinstance(url, Finding):
        yield url
        return
    said = [one for one in answering(url) if one.check != "backup"]  # why it needs attention comes with the rest
    yield from said
    if said[0].state == "ok" and host.token is not None:
        with httpx.Client(
            base_url=f"{url}/api/v1", timeout=PATIENCE_S, trust_env=False, verify=config.certificates(url)
        ) as http:
            yield from known_there(http, host.token)


def answering(url: str) -> Iterator[Finding]:
    """What answers at that address is a main server, and how it is; asked without a token."""
    if (found := trouble(url, "the main server")) is not None:
        yield fault("server", *found)
        return
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/api/v1/health", timeout=PATIENCE_S, trust_env=False, verify=config.certificates(url)
        )
        said = answer.raise_for_status().json()
        database = said["database"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        remedy = f"See what listens there, and the log of the main server; correct server.url if it is not {url}."
        yield fault("server", f"What answers at {url} is not a main server ({first_line(error)}).", remedy)
        return
    yield ok("server", f"{url} answers, on {database}")
    if "backup" in said:
        remedy = "Run `dashcam backup` on it: that says what is in the way."
        yield warning("backup", "The main server's backups need attention.", remedy)
    yield clock(answer)


def clock(answer: httpx.Response) -> Finding:
    """The answer's own Date against this machine's clock."""
    if "date" not in answer.headers:
        return skipped("clock", "The main server does not tell the time.")
    ahead_s = time.time() - parsedate_to_datetime(answer.headers["date"]).timestamp()
    if abs(ahead_s) <= SKEW_S:
        return ok("clock", f"within {SKEW_S:.0f} s of the main server's")
    how = f"This machine's clock is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the main server's."
    remedy = "Run `timedatectl set-ntp true` on the one that is wrong (`timedatectl` shows it)."
    return fault("clock", how, remedy) if abs(ahead_s) > MOST_SKEW_S else warning("clock", how, remedy)


def known_there(http: httpx.Client, token: str) -> Iterator[Finding]:
    """The token is accepted; then the main server's own checks follow."""
    answer = http.get("/doctor", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    if answer.status_code == 401:
        remedy = "Give this device the token that the main server knows; if it was revoked there, join it again."
        yield fault("token", "The main server does not accept this device's token.", remedy)
        return
    yield ok("token", "accepted by the main server")
    if answer.status_code == 403:
        yield skipped("main server", "This device's token may not ask for the main server's own checks.")
        return
    if answer.status_code == 404:
        yield warning("main server", "It is of an older version than this machine.", "Upgrade it (docs/upgrade.md).")
        return
    try:
        yield from TypeAdapter(list[Finding]).validate_python(answer.raise_for_status().json())
    except (httpx.HTTPError, ValidationError, ValueError) as error:
        yield fault("main server", f"It cannot look at itself ({first_line(error)}).", "See the main server's log.")


def prefect(host: Host) -> Iterator[Finding]:
    """Prefect's API answers, lets this machine in, and is of its version."""
    url = reached("prefect", host, "Prefect", lambda site: site.server.prefect_url)
    if isinstance(url, Finding):
        yield url
        return
    try:
        login = config.prefect_login(host.folder)
    except config.ConfigError as error:
        yield of_sentence("prefect", str(error), "Correct the file.")
        return
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    try:
        answer = httpx.get(
            f"{url}/admin/version",
            headers=headers,
            timeout=PATIENCE_S,
            trust_env=False,
            verify=config.certificates(url),
        )
        if answer.status_code in (401, 403):
            said = "Prefect does not let this machine in: " + ("its login is wrong." if login else "it wants a login.")
            where = host.folder / "prefect-login"
            yield fault("prefect", said, f"Write Prefect's user:password into {where} and run `chmod 600 {where}`.")
            return
        there = str(answer.raise_for_status().json())
    except (httpx.HTTPError, ValueError) as error:
        remedy = "See what listens there; server.prefect_url ends with /api."
        yield fault("prefect", f"What answers at {url} is not Prefect ({first_line(error)}).", remedy)
        return
    if there != (here := version("prefect")):
        remedy = f"Install prefect=={there} here, or upgrade the one that is older (docs/upgrade.md)."
        yield fault("prefect", f"Prefect's server is {there}, and this machine has {here}.", remedy)
        return
    yield ok("prefect", f"{url}, version {there}{'' if login else ', open to whoever reaches it'}")


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
