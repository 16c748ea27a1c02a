"""What has died is started again, by a thread that waits for nothing else."""

import threading
from collections.abc import Callable

from dashcam import NO_USE_TRYING, Say
from dashcam.embedded.processes import Child

LOOK_S = 0.5
MANY = 4
"""Restarts one soon after the other, in about 15 s, after which more is said than that."""

NAMES = {"app": "The web interface", "prefect": "Prefect", "worker": "The worker", "forkserver": "The fork server"}


class Keeper:
    """Looks after children that others add to. From `start` to `stop` only its thread asks whether they live."""

    def __init__(self, children: dict[str, Child], say: Say, changed: Callable[[], None]) -> None:
        self.children, self.say, self.changed = children, say, changed
        self.lock = threading.RLock()
        """Held by whoever starts a child."""
        self.stopped = threading.Event()
        self.thread: threading.Thread | None = None
        self.unproven: set[str] = set()
        """Those of whom it is not known yet that they can run at all here."""
        self.hopeless: str | None = None
        """Why one of them cannot; it is not tried again."""

    def start(self) -> None:
        if self.thread is None:
            self.thread = threading.Thread(target=self.run, daemon=True, name="keeper")
            self.thread.start()

    def stop(self) -> None:
        """From now on what ends has ended."""
        self.stopped.set()
        if self.thread is not None:
            self.thread.join()

    def run(self) -> None:
        while not self.stopped.wait(LOOK_S):
            with self.lock:
                for name, child in self.children.items():
                    child.trim_log()
                    if not child.alive and not self.stopped.is_set():
                        self.revive(name, child)

    def revive(self, name: str, child: Child) -> None:
        who, how = NAMES.get(name, name), child.how_it_ended
        if name in self.unproven and (child.status == NO_USE_TRYING or child.restarts >= MANY):
            self.hopeless = f"{who} {how}: {child.last_words(3)} (log: {child.log_file})"
            return
        try:
            if child.keep_alive():
                self.changed()
                self.tell(who, how, child)
        except OSError as error:  # no process, no descriptor, no disk: it may pass
            self.tell(who, f"cannot be started ({error.strerror})", child)

    def tell(self, who: str, how: str, child: Child) -> None:
        if child.restarts < MANY:
            self.say(f"{who} {how}, and is started again")
        elif child.restarts == MANY:
            self.say(
                f"{who} {how}, {MANY} times in a row, and is tried again now and then. The end of its log, "
                f"{child.log_file}: {child.last_words(3)}"
            )
