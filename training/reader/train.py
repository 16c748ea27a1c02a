"""``python -m training.reader.train``: makes ``models/plate-reader.onnx``. Fixed seeds; one log line per check."""

import argparse
import copy
import pickle
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from training.reader import fonts
from training.reader.degrade import fitted
from training.reader.export import calibrated_export
from training.reader.network import Reader
from training.reader.photographs import Photograph, labelled, taught
from training.reader.plates import Drawn, Printer, Sample
from training.reader.shapes import ALPHABET, BLANK, GRID, SLOTS

BATCH = 64
DRAWN = 0.6
"""Share of drawn plates in a batch."""
REDRAW = 0.2
"""Drawing costs more than photographing: a drawn plate is photographed about five times."""
SMOOTH = 0.03
"""Share of a label that goes to all other characters alike: O and 0 are mixed up in people's labels too."""
SHARES = {"plate-crops-us": 4.0, "plate-crops-world/eu_twoline": 3.0, "plate-crops-world/ar": 2.0}
"""How often a crop of a small set comes, against 1."""
RARE = 4.0
"""How often a Brazilian crop with an O comes: readers that confirmed the labels took it for a Q or a zero."""
EASY_STEPS = 1500
"""Until here plates get worse and worse; clean ones first teach what the characters are, which a start knows."""


class Batches(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Images ``B x 1 x 48 x 144`` uint8, wanted probabilities ``B x 10 x 37``, attention targets ``B x 10 x 108`` (all
    zero: unknown)."""

    def __init__(self, printer: Printer, photographs: Sequence[Photograph], args: argparse.Namespace) -> None:
        self.printer, self.photographs, self.steps, self.seed = printer, photographs, args.steps, args.seed
        self.made = EASY_STEPS if args.start else 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng(self.seed)
        weights = np.array([share(p) for p in self.photographs])
        weights /= weights.sum()
        shelf = [self.printer.draw(rng) for _ in range(BATCH)]
        for step in range(self.steps):
            easy = min(1.0, 0.25 + (self.made + step) / EASY_STEPS)
            samples = [self._drawn(rng, shelf, easy * rng.random()) for _ in range(round(DRAWN * BATCH))]
            chosen = rng.choice(len(self.photographs), BATCH - len(samples), p=weights)
            samples += [self.photographs[i].sample(rng, easy * 0.8 * rng.random()) for i in chosen]
            yield tensors(samples)

    def _drawn(self, rng: np.random.Generator, shelf: list[Drawn], harm: float) -> Sample:
        if len(shelf) < 3000 or rng.random() < REDRAW:
            at = int(rng.integers(3000))
            shelf[at : at + 1] = [self.printer.draw(rng)]
        return shelf[rng.integers(len(shelf))].seen(rng, harm)


def share(photograph: Photograph) -> float:
    """How often this photograph comes, against 1."""
    rare = photograph.source.endswith("br_openalpr") and "O" in photograph.text[:3]
    return SHARES.get(photograph.source, 1.0) * (RARE if rare else 1.0)


def tensors(samples: Sequence[Sample]) -> tuple[Tensor, Tensor, Tensor]:
    images = torch.from_numpy(np.stack([s.image for s in samples])[:, None])
    wanted = torch.zeros(len(samples), SLOTS, BLANK + 1)
    where = torch.zeros(len(samples), SLOTS, GRID[0] * GRID[1])
    rows, columns = np.mgrid[0 : GRID[0], 0 : GRID[1]]
    for i, sample in enumerate(samples):
        if sample.slots is not None:
            wanted[i] = torch.from_numpy(sample.slots)
        else:
            signs = [ALPHABET.index(c) for c in sample.text]
            wanted[i, range(SLOTS), signs + [BLANK] * (SLOTS - len(signs))] = 1
        for slot, (x, y) in enumerate(sample.places or ()):
            apart = (columns + 0.5 - x * GRID[1]) ** 2 + (rows + 0.5 - y * GRID[0]) ** 2
            near = np.exp(-apart / 0.7).ravel()
            where[i, slot] = torch.from_numpy(near / max(near.sum(), 1e-6))
    return images, wanted, where


def loss_of(network: Reader, images: Tensor, wanted: Tensor, where: Tensor) -> Tensor:
    with torch.autocast(images.device.type, torch.bfloat16, enabled=half(images.device)):
        logits, attention = (part.float() for part in network(images.float()))
    chances = logits.log_softmax(2)
    each = -((1 - SMOOTH) * wanted * chances).sum(2) - SMOOTH * chances.mean(2)
    reading = (each * (1 - 0.7 * wanted[:, :, BLANK])).sum(1).mean() / 7
    looking = -(where * attention.log_softmax(2)).sum() / where.sum().clamp(min=1)
    return reading + 0.15 * looking


def half(device: torch.device) -> bool:
    """Whether bfloat16 is the quicker arithmetic here."""
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()


@torch.no_grad()
def exact_rates(network: Reader, checks: dict[str, list[Sample]]) -> dict[str, float]:
    """Share of whole plates right, for each set."""
    network.eval()
    device = network.place.device
    rates = {}
    for name, samples in checks.items():
        hits = 0
        for i in range(0, len(samples), 128):
            images, wanted, _ = tensors(samples[i : i + 128])
            read = network(images.to(device).float())[0].argmax(2).cpu()
            hits += int((read == wanted.argmax(2)).all(1).sum())
        rates[name] = hits / len(samples)
    return rates


def train(printer: Printer, photographs: list[Photograph], args: argparse.Namespace) -> Reader:
    """One-cycle AdamW on an exponential mean of the weights; the mean is returned."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    network = Reader()
    if args.start:
        network.load_state_dict(torch.load(args.start, weights_only=True))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device, memory_format=torch.channels_last)
    mean = copy.deepcopy(network).eval()
    learner = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=0.02)
    checks = held_out(printer, photographs)
    source = Batches(printer, [p for p in photographs if not p.held_out], args)
    began, total = time.monotonic(), 0.0
    # a forked worker would inherit OpenCV's and torch's threads in whatever state they are
    loader = DataLoader(source, batch_size=None, num_workers=1, multiprocessing_context="spawn", prefetch_factor=8)
    for step, batch in enumerate(loader):
        # the time limit shortens the schedule rather than cutting it off
        done = max(step / args.steps, (time.monotonic() - began) / (60 * args.minutes))
        if done >= 1:
            break
        for group in learner.param_groups:
            group["lr"] = args.rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * float(np.cos(np.pi * done))) + 1e-5
        network.train()
        loss = loss_of(network, *(part.to(device, non_blocking=True) for part in batch))
        learner.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        learner.step()
        follow(mean, network, min(0.998, step / (step + 20)))
        total = 0.98 * total + 0.02 * loss.item() if step else loss.item()
        if step % args.every == args.every - 1:
            rates = " ".join(f"{k} {v:.3f}" for k, v in exact_rates(mean, checks).items())
            print(f"{step + 1} {time.monotonic() - began:.0f}s loss {total:.3f} | {rates}", flush=True)
            torch.save(mean.state_dict(), args.cache / "reader.pt")
    print("last", exact_rates(mean, checks), flush=True)
    return mean.cpu()


def follow(mean: Reader, network: Reader, keep: float) -> None:
    with torch.no_grad():
        for a, b in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            a.lerp_(b, 1 - keep) if a.is_floating_point() else a.copy_(b)


def mix_in(network: Reader, start: Mapping[str, Tensor], keep: float) -> None:
    """The mean of the weights before and after a late run keeps more of what both know (Wortsman et al. 2022)."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(start[name], keep)


def held_out(printer: Printer, photographs: Sequence[Photograph]) -> dict[str, list[Sample]]:
    """What the network never trains on: photographs as they are, and 200 drawn plates."""
    rng = np.random.default_rng(99)
    checks: dict[str, list[Sample]] = defaultdict(list)
    for p in photographs:
        if p.held_out:
            checks["taught" if "taught" in p.source else p.source.split("/")[-1]].append(
                Sample(fitted(p.plate), p.text, None)
            )
    checks["drawn"] = [printer.draw(rng).seen(rng, 0.6 * rng.random()) for _ in range(200)]
    return dict(checks)


def gathered(args: argparse.Namespace) -> list[Photograph]:
    """All photographs; the teacher's labels are kept between runs."""
    kept = args.cache / "taught.pickle"
    if args.teacher and not kept.exists():
        kept.write_bytes(pickle.dumps(list(taught(args.data, args.teacher))))
    return labelled(args.data) + (pickle.loads(kept.read_bytes()) if args.teacher else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with plate-crops-us and the rest")
    parser.add_argument("--fonts", type=Path, required=True, help="what training/fonts.sh filled")
    parser.add_argument("--teacher", type=Path, help="fast-plate-ocr's cct_xs_v2_global.onnx, to label more crops")
    parser.add_argument("--cache", type=Path, default=Path("training/.cache"))
    parser.add_argument("--out", type=Path, default=Path("models/plate-reader.onnx"))
    parser.add_argument("--start", type=Path, help="a reader.pt of an earlier run, to go on from")
    parser.add_argument("--keep", type=float, default=0.0, help="share of the start's weights in the result")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument(
        "--rate", type=float, default=2.5e-3, help="the highest learning rate; less to go on from a start"
    )
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    photographs = gathered(args)
    printer = Printer(fonts.typefaces(args.fonts), fonts.words(args.fonts))
    counts = {s: sum(p.source == s for p in photographs) for s in dict.fromkeys(p.source for p in photographs)}
    print("photographs", counts, flush=True)
    network = train(printer, photographs, args)
    if args.start and args.keep:
        mix_in(network, torch.load(args.start, weights_only=True), args.keep)
    torch.save(network.state_dict(), args.out.with_suffix(".pt"))
    rng = np.random.default_rng(7)
    unseen = [p for p in photographs if p.held_out and "taught" not in p.source for _ in range(3)]
    calibrated_export(network, args.out, [p.worse(rng, 0.7 * rng.random()) for p in unseen], [p.text for p in unseen])


if __name__ == "__main__":
    main()
