"""`make docs`: every document is in the pages and in their navigation, and nothing in them asks another machine."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from deploy import documents
from tests.conftest import REPOSITORY

LEFT_OUT = {"benchmarks/JOURNAL.md", "training/JOURNAL.md", "training/README.md"}
"""Of the kitchen: they can be read, but nobody is led there from the navigation."""
LOADED = re.compile(r"""<(?:script|img|iframe|source)[^>]+src=["']?([^"' >]+)|<link[^>]+href=["']?([^"' >]+)""")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    documents.lay_out(folder)
    assert documents.build(folder) == 0
    return folder / ".site/pages"


def in_navigation(nav: list[Any]) -> set[str]:
    found: set[str] = set()
    for entry in nav:
        for one in entry.values():
            found |= {one} if isinstance(one, str) else in_navigation(one)
    return found


def test_every_document_is_a_page(pages: Path) -> None:
    for file in documents.documents():
        if file.suffix == ".md":
            page = file.with_name("index.md") if file.name == "README.md" else file
            assert (pages / page.with_suffix(".html")).is_file(), file


def test_every_document_is_in_the_navigation() -> None:
    nav = in_navigation(tomllib.loads((REPOSITORY / "zensical.toml").read_text())["project"]["nav"])
    there = {file.as_posix() for file in documents.documents() if file.suffix == ".md"}
    assert there - nav == LEFT_OUT and nav <= there


def test_no_page_loads_anything_from_elsewhere(pages: Path) -> None:
    loaded = {
        "".join(found) for page in pages.rglob("*.html") for found in LOADED.findall(page.read_text(encoding="utf-8"))
    }
    assert len(loaded) > 3
    assert [one for one in loaded if re.match(r"[a-z]+:|//", one) and not one.startswith("data:")] == []
    styles = "".join(file.read_text(encoding="utf-8") for file in pages.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", styles) == []


def test_a_broken_link_is_an_error(tmp_path: Path) -> None:
    documents.lay_out(tmp_path)
    page = tmp_path / ".site/documents/docs/daily.md"
    page.write_text(page.read_text() + "\nSee [nothing](nowhere.md).\n")
    assert documents.build(tmp_path) != 0
