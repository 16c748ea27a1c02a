"""What is said of the cameras' clocks and lenses, carried out beside everything else, one camera at a time."""

import logging
import threading
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from dashcam.catalog import clocks, lenses, places, plate_facts
from dashcam.config import Site
from dashcam.config.model import Lens
from dashcam.database import reading

AGAIN_S = 5.0
"""After the database did not answer."""

log = logging.getLogger("dashcam")


class Corrections:
    """One per main server. Its thread lives as long as something is owed."""

    def __init__(self, engine: Engine, site: Site) -> None:
        self.engine, self.site = engine, site
        self.at: dict[str, clocks.Correcting] = {}
        """By camera, the latest."""
        self._lock = threading.Lock()
        self._wanted = False
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def ask_for(self, camera: str, ahead_s: float) -> clocks.Correcting:
        """Write it down and begin; returns at once. Not for the event loop."""
        clocks.note(self.engine, camera, ahead_s)
        self.at[camera] = clocks.Correcting()
        self.go_on()
        return self.at[camera]

    def ask_for_lens(self, camera: str, lens: Lens | None) -> None:
        """The same of its lens; None takes back what was said."""
        lenses.note(self.engine, camera, lens)
        self.go_on()

    def go_on(self) -> None:
        """Carry out what is owed, also from before a restart."""
        with self._lock:
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="corrections", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Within a second; what is left is owed."""
        self._stopped.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def told(self, cameras: list[clocks.CameraTime]) -> list[clocks.CameraTime]:
        """The same, each with how far its correction is."""
        return [one.model_copy(update={"correcting": self.at.get(one.camera)}) for one in cameras]

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stopped.is_set() or not self._wanted:
                    self._thread = None
                    return
                self._wanted = False
            try:
                self._all()
            except SQLAlchemyError as error:
                log.warning("a camera's clock or lens is not corrected yet (%s); it goes on", error)
                self._stopped.wait(AGAIN_S)
                self._wanted = True

    def _all(self) -> None:
        with reading(self.engine) as session:
            cameras, measured = clocks.owed(session), lenses.owed(session)
        for camera in measured:
            again = partial(places.estimate_again, settings=self.site.place)
            lenses.carry_out(self.engine, camera, again, lambda: not self._stopped.is_set())
            log.info("where other cars were is estimated anew by the lens of camera %r", camera)
        for camera in cameras:
            at = self.at[camera] = clocks.Correcting()
            clocks.carry_out(self.engine, camera, self.site, at, lambda: not self._stopped.is_set())
            plate_facts.catch_up(self.engine, lambda: not self._stopped.is_set())
            log.info("clock of camera %r: %d of %d clips have another time", camera, at.changed, at.clips)
