"""What else can be done to the real system: stores fail as a NAS does, clocks jump, what recovers dies again."""

import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from dashcam.chaos import ahead
from dashcam.chaos.faults import NotNow, RealFault, Scene, all_faults, kill_part
from dashcam.chaos.fragile import Ailment, Onset
from dashcam.storage import layout

STORES = {"indoor": layout.INDOOR, "shed": layout.SHED}
JUMPS_S = (-86_400, -3_600, -90, 90, 3_600, 86_400, 400 * 86_400)
AGAIN_S = 60.0
"""How long what has died may take to be there again, to be killed once more."""
TROUBLES: Mapping[str, tuple[Ailment, Onset]] = {
    "read-error": ("eio", "read"),
    "write-error": ("eio", "write"),
    "fills": ("full", "write"),
    "read-only": ("read-only", "any"),
    "stale": ("stale", "any"),
    "hangs": ("hang", "any"),
    "unmounted": ("bare", "any"),
}


def fail(store: str, name: str, scene: Scene) -> str:
    """From one operation on, for some seconds; a NAS that hangs may do so for half a minute."""
    trouble, at = TROUBLES[name]
    nas = scene.driven.nas.get(STORES[store])
    if nas is None:
        raise NotNow("the stores are no file systems of ours")
    seconds = scene.random.uniform(1, 30 if trouble == "hang" else 12)
    nas.be(trouble, at, scene.random.randint(0, 12))
    try:
        scene.last(seconds)
    finally:
        met = nas.heal()
    if strays := nas.strays:
        scene.troubles.append(f"{strays[0].name} was written where nothing was mounted")
        shutil.rmtree(strays[0].parent, ignore_errors=True)
    if not met:
        raise NotNow(f"nobody came to {store} in {seconds:.0f} s")
    return f"{store} {name} for {seconds:.1f} s, at {met} first"


def kill_again(name: str, scene: Scene) -> str:
    """Whoever is started in its place is killed as well, while it comes up; three times."""
    kill_part(name, scene)
    waits = []
    for _ in range(3):
        deadline = time.monotonic() + AGAIN_S
        while name not in scene.driven.sessions() and time.monotonic() < deadline:
            scene.last(0.05)
        wait = scene.random.uniform(0, 2.5)
        scene.last(wait)
        with suppress(NotNow):
            kill_part(name, scene)
            waits.append(wait)
    return f"kill -9 of {name}, and of the next ones after {', '.join(f'{one:.1f}' for one in waits)} s"


def kill_everything_again(scene: Scene) -> str:
    """At some moments of its start, again and again."""
    waits = [scene.random.uniform(0.2, 12) for _ in range(3)]
    scene.driven.kill_everything()
    for wait in waits:
        scene.driven.up()
        scene.last(wait)
        scene.driven.kill_everything()
    scene.driven.up()
    return f"kill -9 of everything, and of what came up after {', '.join(f'{one:.1f}' for one in waits)} s"


def jump(whose: str, scene: Scene) -> str:
    """The clock of the system, or of the second device alone, is wrong for a while; then it is right again."""
    offset, seconds = scene.random.choice(JUMPS_S), scene.random.uniform(3, 12)
    clock = scene.driven.clock(whose)
    ahead.set_clock(clock, offset)
    try:
        scene.last(seconds)
    finally:
        ahead.set_clock(clock, 0)
    return f"the clock of {whose} {offset:+} s for {seconds:.1f} s"


def every_fault() -> dict[str, RealFault]:
    """By name, those of `chaos.faults` too."""
    return all_faults() | {
        **{f"{store}-{name}": partial(fail, store, name) for store in STORES for name in TROUBLES},
        **{f"kill-{part}-again": partial(kill_again, part) for part in ("app", "prefect", "worker")},
        "kill-everything-again": kill_everything_again,
        "clock-system": partial(jump, "system"),
        "clock-second-device": partial(jump, "second"),
    }
