"""A home's own signature (Ed25519, RFC 8032): that a bundle is as this home made it, whoever has carried it since."""

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from dashcam import Explained, whole_file
from dashcam.records import Record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DIGITS = 32


class Signature(Record):
    """Over the bytes of the manifest. Key and signature in base64."""

    key: str
    signature: str

    def holds(self, signed: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.key))
            key.verify(base64.b64decode(self.signature), signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    def fingerprint(self) -> str:
        return fingerprint(self.key)


def sign(content: bytes, key_file: Path) -> Signature:
    """With the key in that file, which is made on its first use. Raises `Explained` where it holds none."""
    key = key_of(key_file)
    return Signature(key=public(key), signature=base64.b64encode(key.sign(content)).decode())


def key_of(key_file: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not key_file.exists():
        made = Ed25519PrivateKey.generate()
        raw = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        try:
            whole_file.make(key_file, made.private_bytes(*raw))
        except OSError as error:
            raise Explained(f"{key_file} cannot be written ({error.strerror}): bundles are signed with it.") from error
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise Explained(
            f"{key_file} holds no key to sign with: put it back from the backup, or move it away."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Explained(f"{key_file} holds another kind of key: move it away, and a new one is made.")
    return key


def public(key: "Ed25519PrivateKey") -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def fingerprint(key: str) -> str:
    """Of a public key in base64, as people compare it: groups of four."""
    digits = hashlib.sha256(key.encode()).hexdigest()[:DIGITS]
    return "-".join(digits[at : at + 4] for at in range(0, DIGITS, 4))
