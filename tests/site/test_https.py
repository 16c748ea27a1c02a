"""A site that speaks HTTPS in the house: its authority, what Caddy is told, and devices that join by a fingerprint."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from fastapi.responses import FileResponse
from sqlalchemy import Engine
from typer.testing import CliRunner

from app import api, system
from app.access.guard import stand_before
from dashcam import Explained, config
from dashcam.access import passwords, users
from dashcam.access.invitations import invite
from dashcam.cli import app
from dashcam.config import Site
from dashcam.database import open_engine, reading, writing
from dashcam.site import authority, https, machine
from dashcam.storage.roots import Stores


def leaf(folder: Path, made: tuple[str, str], host: str) -> Path:
    """What Caddy makes of an authority each week: certificate and key for that name, in one file."""
    issuer = x509.load_pem_x509_certificate(made[0].encode())
    its_key = serialization.load_pem_private_key(made[1].encode(), None)
    assert isinstance(its_key, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder(issuer.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=12))
        .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(its_key.public_key()), critical=False)
        .sign(its_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / f"{host}.pem"
    file.write_bytes(certificate.public_bytes(pem) + private)
    return file


def is_trusted(folder: Path, made: tuple[str, str], host: str) -> bool:
    """Whether who trusts the authority takes what it has signed for that name."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(leaf(folder, made, host))
    ours = ssl.create_default_context(cadata=made[0])
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, client = theirs.wrap_bio(here, there, server_side=True), ours.wrap_bio(there, here, server_hostname=host)
    try:
        for _ in range(4):
            for end in (client, server):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLError:
        return False
    return True


@pytest.mark.parametrize("host", ["main-server", "10.77.0.1"])
def test_the_authority_vouches_for_one_name_and_no_other(host: str, tmp_path: Path) -> None:
    made = authority.make(host)
    assert is_trusted(tmp_path, made, host)
    for other in ("bank.example", "10.77.0.2"):
        assert not is_trusted(tmp_path, made, other), "browsers that trust it would take anybody for the bank"
    (tmp_path / "authority.crt").write_text(made[0])
    assert authority.vouches_for(tmp_path / "authority.crt", host)
    assert not authority.vouches_for(tmp_path / "authority.crt", "other") and authority.make(host)[0] != made[0]


def test_a_fingerprint_is_typed_as_one_likes_and_never_in_part() -> None:
    certificate, _ = authority.make("main-server")
    said = authority.fingerprint(certificate)
    assert len(said) == 32
    for typed in (said, said.upper(), ":".join(said[n : n + 2] for n in range(0, 32, 2)), f" {said} "):
        assert authority.is_it(certificate, typed)
    for typed in ("", said[:31], said[::-1], "no fingerprint"):
        assert not authority.is_it(certificate, typed)
    assert not authority.is_it("no certificate", said)


@pytest.fixture
def etc(etc: Path, tmp_path: Path) -> Path:
    """Beside it two folders to be stores."""
    for store in ("nas", "shed"):
        (tmp_path / store).mkdir()
    return etc


def init(etc: Path, *more: str, password: str = "") -> str:
    here = etc.parent
    stores = ("--store", f"indoor_nas={here / 'nas'}", "--store", f"shed_nas={here / 'shed'}")
    user = ("--user", "root") if machine.is_root() else ()
    words = ["init", "--state", str(here / "var"), *stores, *user, "--no-services", "--yes", "--prefect-port", "9"]
    done = CliRunner().invoke(app, [*words, *more], input=password)
    assert done.exit_code == 0, done.output
    return done.output


def test_init_makes_https_once_and_for_another_name_anew(etc: Path) -> None:
    said = init(etc, "--address", "main-server", "--https")
    site = config.load_site(etc)
    assert (site.server.url, site.server.host) == ("https://main-server", "127.0.0.1")
    assert site.access.trusted_proxies == ["127.0.0.1/32"]
    first = (etc / "authority.crt").read_text()
    assert "dashcam join https://main-server --code " in said
    assert f" --authority {authority.fingerprint(first)}" in said
    assert (etc / "authority.key").stat().st_mode & 0o777 == 0o600
    said = init(etc)
    assert "there    secret authority.key" in said and (etc / "authority.crt").read_text() == first
    init(etc, "--address", "dashcam.lan", "--https")
    assert config.load_site(etc).server.url == "https://dashcam.lan"
    assert authority.vouches_for(etc / "authority.crt", "dashcam.lan")


def test_init_lets_the_first_admin_in_and_leaves_whoever_is_there(etc: Path) -> None:
    said = init(
        etc, "--address", "main-server", "--admin", "Ana", "--admin-password", "-", password="a horse and a cart\n"
    )
    assert "first admin Ana: may log in" in said and "Nobody can log in yet" not in said
    said = init(etc, "--admin", "ana", "--admin-password", "-", password="another password")
    assert "is there already, with the password from before" in said
    engine = open_engine(config.load_site(etc).server.database_url)
    with reading(engine) as session:
        (ana,) = users.all_of_them(session)
    engine.dispose()
    assert (ana.name, ana.role) == ("ana", "admin") and passwords.proves(ana.password_hash, "a horse and a cart")


def test_a_first_admin_without_a_password_that_may_be_one_is_one_sentence(etc: Path) -> None:
    (etc.parent / "short").write_text("short\n")
    words = ["init", "--state", str(etc.parent / "var"), "--no-services", "--yes", "--prefect-port", "9"]
    words += ["--store", f"indoor_nas={etc.parent / 'nas'}", "--store", f"shed_nas={etc.parent / 'shed'}"]
    words += ["--user", "root"] if machine.is_root() else []
    for file, sentence in (("short", "A password has 10 to 200 characters"), ("none", "cannot be read")):
        done = CliRunner().invoke(app, [*words, "--admin", "ana", "--admin-password", str(etc.parent / file)])
        assert done.exit_code == 1 and sentence in " ".join(done.output.split()), done.output
    assert "Nobody can log in yet: sudo dashcam user add" in init(etc)


def test_caddy_takes_what_it_is_told(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init(etc, "--address", "main-server", "--https")
    if shutil.which("caddy") is None:
        monkeypatch.setenv("PATH", "/nonexistent")
        with pytest.raises(Explained, match="Caddy is not installed"):
            https.prepared(config.load_site(etc), etc)
        pytest.skip("caddy is not installed (Debian: apt install caddy)")
    argv, environment = https.prepared(config.load_site(etc), etc)
    file = Path(argv[-1])
    assert file.stat().st_mode & 0o777 == 0o600
    assert (config.prefect_login(etc) or "none") not in file.read_text()
    done = subprocess.run([argv[0], "validate", *argv[2:]], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_site_without_an_authority_says_how_to_have_one(etc: Path) -> None:
    init(etc, "--address", "main-server")
    done = CliRunner().invoke(app, ["https"])
    assert done.exit_code == 1 and "`dashcam init --https` makes what it needs" in " ".join(done.output.split())


@pytest.fixture
def server(engine: Engine, tmp_path: Path, etc: Path) -> Iterator[tuple[str, str]]:
    """The address of a main server on HTTPS, and its authority's fingerprint."""
    made = authority.make("127.0.0.1")
    its_settings = tmp_path / "main-server"
    its_settings.mkdir()
    (its_settings / "authority.crt").write_text(made[0])
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    stores = {"indoor_nas": {"base": str(tmp_path / "nas")}, "shed_nas": {"archive_base": str(tmp_path / "shed")}}
    system.start(
        system.System(
            engine, Site.model_validate({"storage_paths": stores, "server": {"url": url}}), Stores({}), "the site's own"
        )
    )
    web = FastAPI()
    web.include_router(api.router)

    @web.get("/authority.crt")
    def certificate() -> FileResponse:
        return FileResponse(its_settings / "authority.crt")

    stand_before(web)
    settings = uvicorn.Config(
        web, log_level="error", timeout_graceful_shutdown=1, ssl_certfile=leaf(tmp_path, made, "127.0.0.1")
    )
    running = uvicorn.Server(settings)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not running.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield url, authority.fingerprint(made[0])
    running.should_exit = True
    thread.join(60)


def join(etc: Path, *arguments: str) -> tuple[int, str]:
    user = ("--user", "root") if machine.is_root() else ()
    done = CliRunner().invoke(app, ["join", *arguments, "--state", str(etc.parent / "var"), "--no-services", *user])
    return done.exit_code, " ".join(done.output.split())


def code() -> str:
    with writing(system.current().engine) as session:
        return invite(session, datetime.now(UTC), "jetson-1", "jetson_coral").text


def test_a_device_that_was_told_the_fingerprint_trusts_the_main_server_from_then_on(
    etc: Path, server: tuple[str, str]
) -> None:
    url, fingerprint = server
    letters = code()
    status, said = join(etc, url, "--code", letters)
    assert status == 1 and "does not know who vouches for" in said and not etc.exists(), said
    status, said = join(etc, url, "--code", letters, "--authority", "0" * 32)
    assert status == 1 and "is not the one that you have named" in said and not etc.exists(), said
    status, said = join(etc, url, "--code", letters, "--authority", fingerprint)
    assert status == 0, said
    assert config.authority() == etc / "authority.crt"
    assert httpx.get(f"{url}/api/v1/health", verify=config.certificates(url)).status_code == 200
    config.tell_prefect(config.load_site())
    assert os.environ["PREFECT_API_SSL_CERT_FILE"] == str(etc / "authority.crt")
    status, said = join(etc, url)
    assert status == 0, f"again, without a code: {said}"
