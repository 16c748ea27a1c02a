"""HTTPS inside a house: an authority of the site's own, which vouches for the main server's name and for no other.

A certificate of the internet's authorities wants a name that the internet knows. This one is trusted where a person has
said so: a device that joins is given its fingerprint with the code. Whoever steals the authority's key can pass for the
main server in the house, and for nobody else's site in the browsers that trust it.
"""

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from dashcam import config

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

LASTS = timedelta(days=20 * 365)
DIGITS = 32
"""Of the fingerprint that is typed: 128 bits, which nobody finds another certificate for."""


def make(host: str, now: datetime | None = None) -> tuple[str, str]:
    """The certificate and its key, as PEM, of a new authority for that name or address."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"dashcam-processor of {host}"[:64])])
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, decipher_only=False, **usage),
            critical=True,
        )
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted(host), excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem).decode(), private.decode()


def permitted(host: str) -> "list[GeneralName]":
    """A kind of name that is not there would be permitted whole: of the other kind it is this machine alone."""
    mine = named(host)
    return [mine, named("localhost" if type(mine) is type(named("127.0.0.1")) else "127.0.0.1")]


def named(host: str) -> "GeneralName":
    """As a constraint has it."""
    from cryptography import x509

    try:
        return x509.IPAddress(ip_network(ip_address(host)))
    except ValueError:
        return x509.DNSName(host)


def vouches_for(file: Path, host: str) -> bool:
    """Whether the authority in that file, which need not be there, is for that name."""
    from cryptography import x509

    if not file.is_file():
        return False
    constraints = x509.load_pem_x509_certificate(file.read_bytes()).extensions.get_extension_for_class(
        x509.NameConstraints
    )
    return (constraints.value.permitted_subtrees or []) == permitted(host)


def fingerprint(certificate: str) -> str:
    """What a person hands on with the code: the beginning of the certificate's SHA-256."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()[:DIGITS]


def known(folder: Path | None = None) -> str | None:
    """The fingerprint of this site's own authority; None where it has none."""
    file = config.authority(folder)
    return None if file is None else fingerprint(file.read_text())


def is_it(certificate: str, said: str) -> bool:
    """Whether that is the certificate whose fingerprint somebody has typed, with colons, spaces or none."""
    digits = "".join(letter for letter in said.lower() if letter not in ": -")
    try:
        return len(digits) >= DIGITS and fingerprint(certificate) == digits[:DIGITS]
    except ValueError:
        return False
