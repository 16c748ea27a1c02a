"""Each fault that is planted here is found, with its remedy; and following that makes all well again."""

import inspect
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import migrations
from dashcam.database import open_engine
from dashcam.doctor import host, settings
from dashcam.doctor.finding import worst
from tests.doctor import planted_accelerators, planted_here, planted_server
from tests.doctor.ward import Plant, Ward, ward_in

PLANTS: list[Plant] = [
    one
    for module in (planted_here, planted_accelerators, planted_server)
    for one in vars(module).values()
    if inspect.isgeneratorfunction(one)
]


@pytest.fixture
def ward(tmp_path: Path, empty: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    (tmp_path / "dashcam.db").write_bytes(empty)
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")
    with ward_in(tmp_path, engine, monkeypatch) as one:
        yield one
    engine.dispose()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database as the migrations make it."""
    file = tmp_path_factory.mktemp("empty") / "dashcam.db"
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    engine.dispose()
    return file.read_bytes()


def test_where_all_is_well_nothing_is_wrong(ward: Ward) -> None:
    found = ward.findings()
    assert [one for one in found if one.state in ("warning", "fault")] == []
    assert {"clock", "database", "backup", "devices", "pools", "tasks", "prefect"} <= {one.check for one in found}


@pytest.mark.parametrize("planted", PLANTS, ids=lambda one: one.__name__)
def test_each_planted_fault_is_found_and_its_remedy_helps(ward: Ward, planted: Plant) -> None:
    going = planted(ward)
    check, said, remedy = next(going)
    wrong = [one for one in ward.about(check) if one.state in ("warning", "fault")]
    assert len(wrong) == 1, wrong
    assert said in wrong[0].said and remedy in (wrong[0].remedy or ""), wrong
    assert "\n" not in wrong[0].said and wrong[0].said.endswith(".") and wrong[0].remedy.endswith((".", "?"))  # type: ignore[union-attr]
    next(going, None)
    now = ward.about(check)
    assert now and worst(now) in ("ok", "skipped"), now


def test_a_store_that_a_device_does_not_need_is_no_fault_of_its(ward: Ward) -> None:
    ward.stores["shed_nas"].rename(ward.folder / "elsewhere")
    assert worst(ward.findings("stores")) == "fault"
    ward.change(device_type="jetson_coral")
    states = {one.about or one.said: one.state for one in ward.findings("stores")}
    assert states.pop("indoor_nas") == "ok"
    assert [(said.partition(" ")[0], state) for said, state in states.items()] == [("shed_nas", "skipped")]


def test_there_are_twenty_at_least() -> None:
    assert len(PLANTS) >= 20


def test_a_check_that_goes_wrong_is_a_finding_and_the_others_go_on(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: host.Host) -> list[host.Finding]:
        raise RuntimeError("nobody has thought of this")

    monkeypatch.setitem(ward.checks, "settings", broken)
    wrong, *others = ward.findings("settings", "token")
    assert wrong.state == "fault" and "RuntimeError: nobody has thought of this" in wrong.said and wrong.remedy
    assert [one.check for one in others] == ["token"]
    monkeypatch.setitem(ward.checks, "settings", settings.settings)
    assert ward.findings("settings")[0].state == "ok"


def test_a_certificate_that_nobody_has_signed_is_told_apart(ward: Ward, tmp_path: Path) -> None:
    other = ward.another()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = self_signed(tmp_path / "one.pem")
    context.load_cert_chain(certificate)
    other.socket = context.wrap_socket(other.socket, server_side=True)
    ward.site["server"]["url"] = other.url.replace("http:", "https:")
    ward.write()
    (wrong,) = ward.about("server")
    assert "certificate of the main server" in wrong.said and "SSL_CERT_FILE" in (wrong.remedy or "")
    ward.monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert worst(ward.about("server")) == "ok"


def self_signed(file: Path) -> Path:
    """For 127.0.0.1, key and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1)
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    builder = builder.add_extension(address, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    file.write_bytes(file.read_bytes() + certificate.public_bytes(serialization.Encoding.PEM))
    return file
