"""``make``'s environment: uv asks where pip asks, and a step that fails shows the end of what was said."""

import re
import sys
from pathlib import Path

import pytest

from deploy import environment


def test_uv_asks_the_indexes_of_pips_settings() -> None:
    listed = (
        ":env:.find-links='/srv/wheels'\n"
        "global.cert='/etc/ssl/house.pem'\n"
        "global.extra-index-url='file:///a/simple\\nfile:///b/simple'\n"
        "global.find-links='/opt/wheels'\n"
        "global.index-url='https://packages.lan/simple'\n"
        "global.timeout='60'\n"
    )
    assert environment.as_uv_reads_it(listed) == {
        "UV_DEFAULT_INDEX": "https://packages.lan/simple",
        "UV_INDEX": "file:///a/simple file:///b/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/srv/wheels",
        "SSL_CERT_FILE": "/etc/ssl/house.pem",
    }
    assert environment.as_uv_reads_it("") == {}


def test_a_step_is_one_line_and_its_words_are_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "install.log"
    monkeypatch.setattr(environment, "LOG", log)
    assert environment.step("Greeting", [sys.executable, "-c", "print('good day')"])
    assert re.fullmatch(r"==> Greeting \.\.\. \d+ s\n", capsys.readouterr().out)
    fails = [
        sys.executable,
        "-u",
        "-c",
        "import sys; print('\\n'.join(map(str, range(99)))); sys.exit('no such package')",
    ]
    assert not environment.step("Trying", fails, needed=False)
    assert re.fullmatch(r"==> Trying \.\.\. \d+ s, without success\n", capsys.readouterr().out)
    with pytest.raises(environment.Failed) as failed:
        environment.step("Installing", fails)
    *said, last = str(failed.value).splitlines()
    assert last == f"Installing did not work: all it said is in {log}"
    assert len(said) == 15 and "no such package" in said and "0" not in said
    assert log.read_text().splitlines()[1] == "good day"


def test_the_opencv_that_wants_a_display_is_taken_out_whoever_has_put_it_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment, "put", lambda what, purpose: None)
    monkeypatch.setattr(environment, "step", lambda title, command: steps.append(" ".join(command[-2:])))
    environment.install(["-e", "."], "")
    assert not steps
    (tmp_path / "lib/python3.11/site-packages/opencv_python-5.0.0.dist-info").mkdir(parents=True)
    environment.install(["-e", "."], "")
    assert steps[0] == "--yes opencv-python"
    assert steps[1].startswith("--force-reinstall opencv-python-headless==")


def test_no_page_installs_extras_past_make_setup() -> None:
    """pip alone brings the OpenCV that wants a display, with which nothing starts on a server."""
    pages = (environment.ROOT / "docs/setup").glob("*.md")
    typed = [line for page in pages if page.stem != "windows" for line in page.read_text().splitlines()]
    assert not [line for line in typed if "pip install" in line]
    assert any("make setup EXTRAS=gpu" in line for line in typed)
