"""What should be started now: pure decisions, no clock, no network (docs/dispatch.md).

Natural batching: a stage has at most one live run per worker, and a new run takes everything that has gathered by
then. So what arrives while a device is busy costs one process start and one model load for all of it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_CLIPS = 200
"""In one run: before ingest nobody knows how long a clip is, and what a run holds is lost time when it is cancelled."""


@dataclass(frozen=True)
class Offer:
    """A pending task that no live run holds."""

    task_id: int
    minutes: float
    """Length of its footage; what is not known yet (a clip before ingest) counts as nothing."""
    waited_s: float
    suspect: bool = False
    """Runs with it have ended again and again without a word: it may be what kills them."""


def plan(
    offers: Sequence[Offer],
    *,
    live_runs: int,
    workers: int,
    upstream_busy: bool,
    linger_s: float,
    cap_minutes: float,
) -> list[list[int]]:
    """The runs to create for one stage, each a list of task ids, oldest first.

    A suspect gets a run of its own, when nothing else waits: what kills its process takes nobody else along.
    While earlier stages are busy more is about to arrive, so the first task waits up to ``linger_s``, about the price
    of a process start, for company. With no worker online one run is created all the same: it waits in the pool.
    """
    room = max(1, workers) - live_runs
    if not offers or room <= 0:
        return []
    if upstream_busy and max(offer.waited_s for offer in offers) < linger_s:
        return []
    together = [offer for offer in offers if not offer.suspect]
    runs = [take(together[start::room], cap_minutes) for start in range(min(room, len(together)))]
    runs += [[offer] for offer in offers if offer.suspect][: room - len(runs)]
    return [[offer.task_id for offer in run] for run in runs]


def take(offers: list[Offer], cap_minutes: float) -> list[Offer]:
    """The oldest offers up to the cap and `MOST_CLIPS`, and never fewer than one."""
    taken = offers[:1]
    minutes = offers[0].minutes
    for offer in offers[1:MOST_CLIPS]:
        minutes += offer.minutes
        if minutes > cap_minutes:
            break
        taken.append(offer)
    return taken


def key_of(flow: str, tasks: Iterable[tuple[int, int]]) -> str:
    """The idempotency key of a run of ``flow`` with these tasks, each with its number and its attempts so far: these
    make the key new for every offer, because Prefect returns the old run, crashed or not, for a key it knows."""
    key = ",".join(f"{task_id}:{attempts}" for task_id, attempts in tasks)
    return f"{flow}:{hashlib.sha256(key.encode()).hexdigest()}"
