"""What the report says of what was done."""

from dashcam.chaos.report import Injection, Report, Violation, markdown

DONE = Report(
    seeds=[1, 2],
    injections=[
        Injection(1, "kill-app", 3.0, recovered_s=2.0),
        Injection(1, "restart", 9.0),
        Injection(2, "kill-app", 1.0, recovered_s=4.0),
    ],
    violations=[Violation(1, "nothing-twice", "The crop a is there 2 times."),
                Violation(2, "recovery", "Nothing went on.", "kill-app")],
    skipped={"disk-full-shed": "root only"},
)  # fmt: skip


def test_counts_are_by_fault_and_a_violation_without_one_is_put_down_to_each_of_its_seed() -> None:
    said = DONE.as_json()
    assert (said["seeds"], said["injections"], said["violations"]) == (2, 3, 2)
    faults = said["faults"]
    assert {name: (one["injections"], one["violations"]) for name, one in faults.items()} == {
        "kill-app": (2, 2),
        "restart": (1, 1),
    }
    assert (faults["kill-app"]["recovery_median_s"], faults["kill-app"]["recovery_max_s"]) == (3.0, 4.0)
    assert said["failing_seeds"] == [{"mode": "real", "seed": 1}, {"mode": "real", "seed": 2}]


def test_a_seed_of_another_mode_is_another_run() -> None:
    both = Report(seeds=list(DONE.seeds), injections=list(DONE.injections), violations=list(DONE.violations))
    both.add(Report([1], [Injection(1, "kill-app", 1.0, mode="alone")]))
    assert both.faults()["kill-app"].violations == 2
    assert both.faults()["kill-app"].modes == {"real": 2, "alone": 1}


def test_the_table_of_the_record_has_a_line_for_each_fault() -> None:
    assert markdown(DONE)[2:] == ["| kill-app | 2 | 2 | 2 | 3.0 | 4.0 |", "| restart | 1 | 1 | 1 |  |  |"]
