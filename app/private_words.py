"""What admins have said on the page Settings that may hold a password.

Each kind lies in a file of mode 0600 of its own beside the key of the hashes, in no database and no backup.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from dashcam import Explained, whole_file
from dashcam.catalog import pseudonyms
from dashcam.config import Site

WordT = TypeVar("WordT")


class Unreadable(Explained):
    """The file cannot be read, and is left as it is."""


class PrivateWord(Generic[WordT]):
    def __init__(self, name: str, shape: TypeAdapter[WordT], without: str, remedy: str) -> None:
        """``without`` says what does not happen while its file cannot be read, ``remedy`` what to do then."""
        self.name, self.shape, self.without, self.remedy = name, shape, without, remedy
        self._one_at_a_time = Lock()

    def file(self, site: Site) -> Path:
        return pseudonyms.key_file(site).parent / self.name

    def known(self, site: Site) -> WordT | None:
        """Raises `Unreadable`."""
        file = self.file(site)
        try:
            return self.shape.validate_json(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            raise Unreadable(f"{file} cannot be read: {self.without}. {self.remedy}") from None

    @contextmanager
    def changing(self, site: Site) -> Iterator[WordT | None]:
        """What is known, while nobody else changes it. Raises `Unreadable`."""
        with self._one_at_a_time:
            yield self.known(site)

    def say(self, site: Site, word: WordT) -> None:
        whole_file.write(self.file(site), self.shape.dump_json(word, indent=1))

    def unsay(self, site: Site) -> None:
        self.file(site).unlink(missing_ok=True)
