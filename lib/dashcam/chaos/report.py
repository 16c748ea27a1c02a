"""What was done to the pipeline, and what did not hold afterwards: one shape for every way of driving it."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

from rich.table import Table

Mode = Literal["real", "alone"]


@dataclass(frozen=True)
class Injection:
    """One fault that was done."""

    seed: int
    fault: str
    at_s: float
    """Seconds after its seed's beginning; in virtual time where the clock is one."""
    detail: str = ""
    recovered_s: float | None = None
    """From the fault's end to the next task that was completed; None where nothing was left to do, or it is not
    measured."""
    mode: Mode = "real"


@dataclass(frozen=True)
class Violation:
    """What did not hold."""

    seed: int
    invariant: str
    sentence: str
    fault: str = ""
    """The fault it is put down to; empty: any of its seed."""
    mode: Mode = "real"


@dataclass
class Report:
    seeds: list[int] = field(default_factory=list)
    injections: list[Injection] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Faults that this machine cannot be made to have, and why."""

    def add(self, other: "Report") -> None:
        self.seeds += other.seeds
        self.injections += other.injections
        self.violations += other.violations
        self.skipped |= other.skipped

    def failing(self) -> list[tuple[Mode, int]]:
        return sorted({(one.mode, one.seed) for one in self.violations})

    def as_json(self) -> dict[str, Any]:
        return {
            "seeds": len(set(self.seeds)),
            "first_seed": min(self.seeds, default=None),
            "injections": len(self.injections),
            "violations": len(self.violations),
            "faults": {name: asdict(one) for name, one in self.faults().items()},
            "failing_seeds": [{"mode": mode, "seed": seed} for mode, seed in self.failing()],
            "skipped": self.skipped,
            "all_violations": [asdict(one) for one in self.violations],
            "all_injections": [asdict(one) for one in self.injections],
        }

    def faults(self) -> dict[str, "FaultRecord"]:
        """By name of the fault. A violation that no fault is named for counts once for each fault of its seed."""
        found = {}
        for name in sorted({one.fault for one in self.injections}):
            mine = [one for one in self.injections if one.fault == name]
            runs = {(one.mode, one.seed) for one in mine}
            took = sorted(one.recovered_s for one in mine if one.recovered_s is not None)
            found[name] = FaultRecord(
                injections=len(mine),
                modes=dict(Counter(one.mode for one in mine)),
                seeds=len(runs),
                violations=sum(one.fault in (name, "") and (one.mode, one.seed) in runs for one in self.violations),
                recovery_median_s=round(median(took), 1) if took else None,
                recovery_max_s=round(took[-1], 1) if took else None,
            )
        return found


@dataclass(frozen=True)
class FaultRecord:
    """What came of one kind of fault."""

    injections: int
    modes: dict[Mode, int]
    seeds: int
    violations: int
    recovery_median_s: float | None
    recovery_max_s: float | None


def markdown(report: Report) -> list[str]:
    """The table of docs/reliability.md."""
    lines = ["| fault | injections | seeds | violations | recovery s, median | longest |", "|---|---|---|---|---|---|"]
    return lines + [f"| {' | '.join([name, *cells(one)])} |" for name, one in report.faults().items()]


def table_of(report: Report) -> Table:
    title = f"{len(set(report.seeds))} seeds, {len(report.injections)} injections, {len(report.violations)} violations"
    table = Table(title=title, title_justify="left")
    table.add_column("fault")
    for heading in ("injections", "seeds", "violations", "recovery s, median", "longest"):
        table.add_column(heading, justify="right")
    for name, one in report.faults().items():
        table.add_row(name, *cells(one))
    return table


def cells(one: FaultRecord) -> list[str]:
    took = [f"{value:.1f}" if value is not None else "" for value in (one.recovery_median_s, one.recovery_max_s)]
    return [str(one.injections), str(one.seeds), str(one.violations), *took]
