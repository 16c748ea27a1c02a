"""Where a request comes from, and as what this server was asked for."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

FORWARDED = ("x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip")


def is_loopback(host: str) -> bool:
    """Of a name, an address, or a whole web address: whether it is this machine's own."""
    if "://" in host:
        host = urlsplit(host).hostname or ""
    host = host.strip("[]").lower()
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_from_here(connection: HTTPConnection) -> bool:
    """Whether a program on this machine asks this machine, and no proxy for somebody else.

    The name that was asked for counts too: else a page of the internet whose name leads here could read everything.
    """
    client = connection.client
    if any(header in connection.headers for header in FORWARDED):
        return False
    return client is not None and is_loopback(client.host) and is_loopback(host_of(connection))


def host_of(connection: HTTPConnection) -> str:
    try:
        return urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def client_address(connection: HTTPConnection, proxies: Sequence[str]) -> str:
    """The nearest address that is not one of the trusted proxies."""
    address = connection.client.host if connection.client else ""
    said = ",".join(connection.headers.getlist("x-forwarded-for"))
    for before in reversed([one.strip() for one in said.split(",") if one.strip()]):
        if not is_among(address, proxies) or not is_address(before):
            break
        address = before
    return address


def is_secure(connection: HTTPConnection, proxies: Sequence[str]) -> bool:
    """Whether the browser speaks HTTPS, with us or with a trusted proxy."""
    if connection.url.scheme in ("https", "wss"):
        return True
    client = connection.client.host if connection.client else ""
    return is_among(client, proxies) and connection.headers.get("x-forwarded-proto", "") == "https"


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_among(address: str, networks: Sequence[str]) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in ip_network(one) for one in networks)


def household(address: str) -> str:
    """What attempts are counted by: of IPv6 the network, because whoever has one address there has 2 to the 64."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((known, 64), strict=False)) if known.version == 6 else address
