"""When a device may work: at its hours, and while other programs leave it alone."""

import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.config.model import Availability
from dashcam.device.availability import CpuOfOthers, Rule, is_ours, meters_of, own_processes, within

DAY = datetime(2026, 6, 28)
MINUTES = st.integers(0, 24 * 60 - 1)


class Recorded:
    """Loads written down before, one for each second."""

    name = "graphics card"

    def __init__(self, *loads: float) -> None:
        self.loads = list(loads)

    def percent(self, ours: Sequence[psutil.Process], working: bool) -> float:
        return self.loads.pop(0)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@given(begin=MINUTES, end=MINUTES, at=MINUTES)
def test_hours_hold_what_a_clock_hand_passes_from_begin_to_end(begin: int, end: int, at: int) -> None:
    if begin != end:
        inside = (at - begin) % (24 * 60) < (end - begin) % (24 * 60)
        assert within(f"{clock(begin)}-{clock(end)}", DAY + timedelta(minutes=at)) == inside


def test_outside_its_hours_a_device_says_when_it_works() -> None:
    rule = Rule(Availability(hours=["22:00-07:00", "12:00-13:00"]), [])
    assert rule.against(DAY.replace(hour=6, minute=59), 0, False) is None
    assert rule.against(DAY.replace(hour=12), 0, False) is None
    assert rule.against(DAY.replace(hour=7), 0, False) == "it works at 22:00-07:00 and 12:00-13:00"


def test_without_a_rule_a_device_always_works() -> None:
    assert Rule(Availability(), meters_of(Availability())).against(DAY, 0, True) is None


def test_it_gives_way_to_a_lasting_load_not_to_a_moment_and_comes_back_after_quiet() -> None:
    rule = Rule(Availability(quiet_minutes=1), [(Recorded(0, 0, 40, 5, 90, 90, 0, 0, 0, *[0.0] * 60), 20.0)])
    said = [rule.against(DAY, second, True) for second in range(69)]
    assert said[:4] == [None] * 4, "40 % in one second is 15 % over three"
    assert said[4] == "other programs load the graphics card with 45 %"
    loaded = [second for second, reason in enumerate(said) if reason and "with" in reason]
    assert loaded == [4, 5, 6, 7], "the mean of three is over 20 % until the last 90 is out of it"
    assert said[8] == "other programs were busy less than 1 min ago"
    assert [second for second in range(4, 69) if said[second] is None] == [67, 68], "a minute after the load ended"


def test_a_load_is_others_unless_the_process_is_ours() -> None:
    code = "import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass"
    with subprocess.Popen([sys.executable, "-c", code]) as busy:
        try:
            us, both = [psutil.Process()], [psutil.Process(), psutil.Process(busy.pid)]
            strange, known = CpuOfOthers(), CpuOfOthers()
            used = psutil.Process(busy.pid).cpu_times().user
            strange.percent(us, False), known.percent(both, False)
            while psutil.Process(busy.pid).cpu_times().user - used < 0.5:
                time.sleep(0.02)
            as_other, as_ours = strange.percent(us, False), known.percent(both, False)
        finally:
            busy.kill()
    assert 0 <= as_ours < as_other <= 100


def test_what_we_started_is_ours() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"]) as child:
        try:
            assert child.pid in {process.pid for process in own_processes()}
        finally:
            child.kill()


def test_a_card_that_cannot_be_asked_is_said_and_hinders_nothing(caplog: pytest.LogCaptureFixture) -> None:
    rule = Availability(gpu_load_percent=20)
    if meters_of(rule):
        pytest.skip("there is an NVIDIA card in this machine")
    assert "gpu_load_percent has no effect" in caplog.text


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (["/usr/bin/python3", "-m", "dashcam.cli", "up"], True),
        (["/srv/.venv/bin/python", "/srv/.venv/bin/dashcam", "process", "x"], True),
        (["C:\\venv\\Scripts\\python.exe", "C:\\venv\\Scripts\\dashcam.exe", "worker", "gpu"], True),
        (["/usr/bin/python3", "-m", "flows.worker", "gpu"], True),
        (["vim", "lib/dashcam/cli/__init__.py"], False),
        (["make", "-C", "dashcam-processor", "demo"], False),
    ],
)
def test_what_belongs_to_the_embedded_system_is_told_by_its_command(command: list[str], ours: bool) -> None:
    assert is_ours(command) is ours
