"""Why a server of the site does not answer, or will not, in one sentence: what, where, what to do."""

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


@dataclass(frozen=True)
class Addressee:
    name: str
    setting: str
    """Where its address is written."""
    key: str
    """What it lets this machine in by."""
    where: str
    """Where that lies."""


MAIN_SERVER = Addressee(
    "The main server", "server.url", "this device's token", "DASHCAM_TOKEN_FILE, or token beside config.json"
)
PREFECT = Addressee("Prefect", "server.prefect_url", "this machine's login", "prefect-login beside config.json")


def why_silent(error: Exception, url: str, service: Addressee = MAIN_SERVER) -> str:
    """``error`` is what httpx raised when it asked there."""
    there = f"{service.name} at {url}"
    correct = f"correct {service.setting}"
    if isinstance(error, httpx.HTTPStatusError):
        return why_refused(error.response, url, service)
    for cause in chain(error):
        if isinstance(cause, socket.gaierror):
            name = httpx.URL(url).host
            return f"{there} cannot be found: nobody here knows the name {name}. {correct.capitalize()}, or see to DNS."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"{there} is not trusted ({cause.verify_message}): give this machine the certificate of its authority "
                f"(SSL_CERT_FILE), or {correct}."
            )
        if isinstance(cause, ssl.SSLError):
            return f"{there} does not speak https: {correct} to http://, or see to the proxy before it."
        if isinstance(cause, ConnectionRefusedError):
            return f"{there} does not run: nothing listens there. Start it, or {correct}."
        if isinstance(cause, OSError) and cause.errno in NO_WAY:
            return f"{there} cannot be reached ({cause.strerror}): see to this machine's network, or {correct}."
    if isinstance(error, httpx.TimeoutException):
        return f"{there} does not answer in time: see that its machine is on and not overloaded, or {correct}."
    said = str(error).partition("\n")[0] or type(error).__name__
    return f"{there} does not answer ({said}): see that it runs, and that {service.setting} is right."


def why_refused(response: httpx.Response, url: str, service: Addressee = MAIN_SERVER) -> str:
    """Of an answer that is none."""
    there = f"{service.name} at {url}"
    match response.status_code:
        case 401:
            return f"{there} does not accept {service.key}: put the one that is known there here ({service.where})."
        case 403:
            return f"{there} does not let {service.key} do this ({explanation(response)})."
    return f"{there} is in trouble ({explanation(response)}): try again, and see its log if it stays so."


def explanation(response: httpx.Response) -> str:
    """In the server's own words, where it has some."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError, httpx.ResponseNotRead):
        return f"HTTP {response.status_code}"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it comes from; several addresses of one name may have been tried at once."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from chain(one)
        error = error.__cause__ or error.__context__
