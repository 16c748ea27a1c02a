"""A wrong network is one sentence that names the address and what to do, for every command and flow that asks there."""

import asyncio
import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dashcam import Explained
from dashcam.tasks import client
from dashcam.tasks.client import MainServerClient, ServerAway, ServerRefused, ServerTroubled
from dashcam.tasks.silence import PREFECT, why_silent


class Answers(http.server.BaseHTTPRequestHandler):
    """Whatever it is asked, with the status that its path begins with: ``/401/api/v1/…``."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        status = self.path.split("/")[1]
        self.send_response(int(status) if status.isdecimal() else 200)
        self.end_headers()
        self.wfile.write(b'{"detail": "The disk is on fire."}' if status == "503" else b"<html>")

    def log_message(self, *_: object) -> None: ...


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def self_signed(file: Path) -> Path:
    """A certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    began = datetime.now(UTC) - timedelta(days=1)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(began).not_valid_after(began + timedelta(days=9))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(pem) + private)
    return file


def said_by(url: str) -> Explained:
    """What a flow, and a command, hears."""
    with pytest.raises(Explained) as told:
        MainServerClient(url, "a token", patience_s=0).call("GET", "/tasks/1")
    assert "\n" not in str(told.value) and str(told.value).endswith(".")
    return told.value


def test_nobody_knows_the_name() -> None:
    said = said_by("http://main-server.invalid:8000")
    assert isinstance(said, ServerAway)
    assert "The main server at http://main-server.invalid:8000 cannot be found: nobody here knows the name" in str(said)
    assert "Correct server.url, or see to DNS" in str(said)


def test_nothing_listens_there() -> None:
    said = str(said_by("http://127.0.0.1:9"))
    assert said == (
        "The main server at http://127.0.0.1:9 does not run: nothing listens there. Start it, or correct server.url."
    )


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "certificate.pem"))
    with listening(context) as port:
        said = str(said_by(f"https://127.0.0.1:{port}"))
    assert f"The main server at https://127.0.0.1:{port} is not trusted (" in said
    assert "give this machine the certificate of its authority (SSL_CERT_FILE), or correct server.url" in said


def test_https_is_asked_of_what_speaks_http() -> None:
    with listening() as port:
        said = str(said_by(f"https://127.0.0.1:{port}"))
    assert f"https://127.0.0.1:{port} does not speak https: correct server.url to http://" in said


@pytest.mark.parametrize(
    ("path", "kind", "says"),
    [
        ("/401", ServerRefused, "does not accept this device's token: put the one that is known there here"),
        ("/403", ServerRefused, "does not let this device's token do this"),
        ("/503", ServerTroubled, "is in trouble (The disk is on fire.): try again, and see its log"),
        ("/502", ServerTroubled, "is in trouble (HTTP 502)"),
        ("", ServerAway, "is not the main server: correct server.url"),
    ],
)
def test_what_answers_says_no_or_is_somebody_else(path: str, kind: type[Exception], says: str) -> None:
    with listening() as port:
        said = said_by(f"http://127.0.0.1:{port}{path}")
    assert isinstance(said, kind) and says in str(said)
    assert f"at http://127.0.0.1:{port}{path} " in str(said)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (httpx.ReadTimeout("timed out"), "does not answer in time: see that its machine is on"),
        (OSError(113, "No route to host"), "cannot be reached (No route to host): see to this machine's network"),
        (httpx.RemoteProtocolError("it hung up\nand more"), "does not answer (it hung up): see that it runs"),
    ],
)
def test_what_cannot_be_made_here_is_said_too(error: Exception, says: str) -> None:
    raised = httpx.ConnectError("failed")
    raised.__cause__ = error
    told = why_silent(raised if isinstance(error, OSError) else error, "http://main:4200/api", PREFECT)
    assert told.startswith("Prefect at http://main:4200/api ") and says in told


def test_several_addresses_of_one_name_that_all_refuse() -> None:
    async def ask() -> str:
        with pytest.raises(httpx.ConnectError) as raised:
            async with httpx.AsyncClient() as http:
                await http.get("http://localhost:9")
        return why_silent(raised.value, "http://localhost:9")

    assert "does not run: nothing listens there" in asyncio.run(ask())


def test_what_waits_for_the_server_is_still_told_by_its_kind() -> None:
    """Who puts a result aside while the server is away goes by httpx's names."""
    assert issubclass(ServerAway, httpx.HTTPError) and issubclass(ServerTroubled, httpx.HTTPStatusError)
    assert client.NO_ROOM == 507
