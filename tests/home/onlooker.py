"""Another user of these machines, who reads every command line that there is, as `ps` shows them."""

import threading
from pathlib import Path

LOOK_S = 0.1


class Onlooker:
    """Of our programs alone: what a person types into ``curl`` is no promise of ours."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._ended = threading.Event()
        self._looks = threading.Thread(target=self._look, daemon=True, name="onlooker")

    def start(self) -> None:
        self._looks.start()

    def stop(self) -> None:
        self._ended.set()
        self._looks.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_S):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words = process.read_bytes().split(b"\0")
                except OSError:  # it has ended
                    continue
                program = Path(words[0].decode(errors="replace")).name
                if program.startswith(("python", "dashcam", "caddy", "postgres")):
                    self.seen.add(b" ".join(words).decode(errors="replace"))

    def found(self, secrets: dict[str, str]) -> list[str]:
        """The names of those that stood on a command line, each with the line."""
        assert self.seen, "there was something to look through"
        return [f"{name}: {line}" for name, secret in secrets.items() for line in self.seen if secret in line]
