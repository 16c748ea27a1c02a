"""What the documents say is there: links, commands, targets, modules and files; their lines are short."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import get_args, get_origin
from urllib.parse import unquote

import pytest
import typer
from fastapi import FastAPI
from packaging.specifiers import SpecifierSet
from pydantic import BaseModel
from typer.models import OptionInfo

from app.api import router as api
from dashcam.cli import app
from dashcam.cli.evaluate import EngineOption
from dashcam.config.model import DetectorEngine, DeviceFile, Site
from dashcam.evaluate.engines import ENGINES

ROOT = Path(__file__).parents[1]


def is_hidden(path: Path) -> bool:
    """In a folder such as ``.venv``."""
    return any(part.startswith(".") for part in path.relative_to(ROOT).parts)


DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not is_hidden(path))
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
TYPED = re.compile(r"(\$ )?(sudo (-u \w+ )?)?([A-Z_]+=\S+ )*(\.venv/bin/)?")
"""What stands before a command and is no part of it."""
PYTHON_FILE = re.compile(r"[\w./-]+\.py")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def split(document: Path) -> tuple[str, list[str]]:
    """The text without its code blocks, line by line as it was, and the lines of the blocks."""
    prose, blocks, inside = [], [], False
    for line in document.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
            prose.append("")
        else:
            (blocks if inside else prose).append(line)
    return "\n".join(prose), blocks


def code_of(document: Path) -> list[str]:
    """Every span of code, and every line of a code block."""
    prose, blocks = split(document)
    return [" ".join(span.split()).replace("\\|", "|") for span in CODE.findall(prose)] + blocks


def words_after(command: str, document: Path) -> Iterator[list[str]]:
    """What follows ``command`` wherever a piece of code begins with it."""
    for code in code_of(document):
        line = TYPED.sub("", code.strip()).split("  #")[0]
        if line == command or line.startswith(f"{command} "):
            yield shlex.split(line, comments=True)[len(command.split()) :]


@cache
def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", split(document)[0], re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_lines_of_prose_have_at_most_100_characters(document: Path) -> None:
    prose, _ = split(document)
    lines = enumerate(prose.splitlines(), 1)
    assert [f"{n}: {line}" for n, line in lines if len(line) > 100 and not line.startswith("|")] == []


@each_document
def test_relative_links_lead_somewhere(document: Path) -> None:
    prose, _ = split(document)
    for link in LINK.findall(prose):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@each_document
def test_commands_and_their_options_exist(document: Path) -> None:
    for words in words_after("dashcam", document):
        command = typer.main.get_command(app)
        options = [word.split("=")[0] for word in words if word.startswith("-") and word != "-"]
        for word in words:
            commands = getattr(command, "commands", {})
            if not commands or word.startswith("-"):
                break
            assert word in commands, f"dashcam {' '.join(words)}"
            command = commands[word]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(options) <= known | {"--help"}, f"dashcam {' '.join(words)}"


def test_options_in_the_tables_of_commands_exist() -> None:
    """In a row that begins with a command the other pieces of code that look like options are that command's."""
    prose, _ = split(ROOT / "docs/using.md")
    rows = re.findall(r"^\| `dashcam ([^`]+)` \| (.*) \|$", prose, re.MULTILINE)
    assert len(rows) > 15
    for words, about in rows:
        command = typer.main.get_command(app)
        for word in words.split():
            command = getattr(command, "commands", {}).get(word, command)
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        named = {word for code in CODE.findall(about) for word in code.split() if word.startswith("-")}
        assert named <= known, f"dashcam {words}"


def keys_of(model: type[BaseModel], before: str = "") -> dict[str, object]:
    """Every key with its default; of a section those in it."""
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        key = f"{before}{field.alias or name}"
        kinds = () if get_origin(field.annotation) is dict else (field.annotation, *get_args(field.annotation))
        sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        found |= keys_of(sections[0], f"{key}.") if sections else {key: field.default}
    return found


def test_every_setting_is_described_with_its_default() -> None:
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \|", text, re.MULTILINE))
    del rows["place.lenses.front.horizontal_fov_deg"], rows["place.lenses.front.projection"]  # of each of `lenses`
    keys = keys_of(Site) | keys_of(DeviceFile)
    assert set(keys) - set(rows) == set()
    assert {key for key in rows if key not in keys and "." in key} == set()
    for key, said in rows.items():
        if said.startswith("`") and keys.get(key) is not None:
            assert said.strip("`") == str(keys[key]), key
        elif re.fullmatch(r"[\d.]+", said):
            assert float(said) == keys[key], key


@cache
def rest_calls() -> list[tuple[str, str]]:
    """Method and a pattern of the path."""
    web = FastAPI()
    web.include_router(api)
    paths = web.openapi()["paths"].items()
    return [(method.upper(), re.sub(r"\{[^}]*\}", "[^/]+", path)) for path, methods in paths for method in methods]


@each_document
def test_rest_calls_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for method, path in re.findall(r"`(GET|PUT|POST|DELETE) (?:/api/v1)?(/[^`?\s]*)", text):
        there = [one for one, pattern in rest_calls() if re.fullmatch(pattern, f"/api/v1{path}")]
        assert method in there, f"{method} {path}"


@each_document
def test_make_targets_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for words in words_after("make", document):
        for word in words:
            name, equals, _ = word.partition("=")
            assert re.search(rf"^{re.escape(name)} *{re.escape('?=') if equals else ':'}", makefile, re.MULTILINE), word


@each_document
def test_modules_that_are_run_exist(document: Path) -> None:
    for words in words_after("python -m", document):
        if words[0].split(".")[0] in ("app", "benchmarks", "flows", "tests", "training"):
            assert (ROOT / words[0].replace(".", "/")).with_suffix(".py").exists(), words[0]


@cache
def python_files() -> str:
    files = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if not is_hidden(path))
    return "".join(f"/{file}\n" for file in files)


@each_document
def test_python_files_that_are_named_exist(document: Path) -> None:
    """By their path from the root, or by its last parts."""
    for code in code_of(document):
        if PYTHON_FILE.fullmatch(code) and code != ".py":
            assert f"/{code}\n" in python_files(), code


def test_every_line_of_the_score_is_shown_by_a_test_that_is_there() -> None:
    lines = [line.split("|") for line in (ROOT / "docs/score.md").read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(lines) == 28 + 10
    for _, _, what, stands, shown, *_ in lines:
        named = re.fullmatch(r" `(tests/[\w/]+\.py)` `(test_\w+)` ", shown)
        assert (named and named[2] in defined(named[1])) or stands.strip() == "no", what


def test_documents_that_the_code_refers_to_exist() -> None:
    code = [path for pattern in ("*/**/*.py", "*.toml", "*/**/*.sh") for path in ROOT.glob(pattern)]
    texts = (path.read_text(encoding="utf-8") for path in code if not is_hidden(path))
    named = {name for text in texts for name in re.findall(r"\b(?:docs|benchmarks|training|models)/[\w-]+\.md", text)}
    assert len(named) > 4
    assert [name for name in named if not (ROOT / name).exists()] == []


WALKS = {
    "A clip's way": "architecture.md",
    "A plate's way": "architecture.md",
    "Add an engine": "architecture.md",
    "Add a camera": "extending.md",
    "Add a stage": "extending.md",
    "Add a page": "extending.md",
}
STEP = re.compile(r"`([\w/]+\.py)` `([\w.]+)(?:\(\))?`")
CALL = re.compile(r"`([\w.]+)\(\)`")


@cache
def defined(file: str) -> set[str]:
    """Functions, classes, methods as ``Class.method`` and names of a module."""
    names = set()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.ClassDef():
                methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
                names |= {node.name} | {f"{node.name}.{method.name}" for method in methods}
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


@pytest.mark.parametrize("title", WALKS)
def test_steps_of_the_walks_name_what_is_there(title: str) -> None:
    prose, _ = split(ROOT / "docs" / WALKS[title])
    walk = " ".join(prose.split(f"## {title}\n")[1].split("\n## ")[0].split())
    steps = STEP.findall(walk)
    assert len(steps) > 8
    assert [f"{file} {name}" for file, name in steps if name not in defined(file)] == []
    anywhere = set().union(*(defined(file) for file, _ in steps))
    assert set(CALL.findall(walk)) <= anywhere


def test_every_engine_is_said() -> None:
    table = (ROOT / "docs/settings.md").read_text(encoding="utf-8").split("## Engines\n")[1].split("\n## ")[0]
    assert [name for name in get_args(DetectorEngine) if f"| `{name}` |" not in table] == []
    (option,) = (each for each in get_args(EngineOption) if isinstance(each, OptionInfo))
    assert [name for name in ENGINES if name not in (option.help or "")] == []


def test_every_room_is_in_the_table() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    library = [path.parent for path in ROOT.glob("lib/dashcam/*/__init__.py")]
    rooms = [f"{path.relative_to(ROOT).as_posix()}/" for path in library]
    files = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("lib/dashcam/*.py") if path.stem != "__init__"]
    assert [room for room in (*rooms, *files, "app/", "flows/", "blocks/") if f"`{room}`" not in text] == []


def test_what_is_pinned_runs_on_the_oldest_python_that_is_promised() -> None:
    """Debian 12 has 3.11.2: one package that wants 3.11.5 and nobody there can install anything."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    oldest = f"{asked.removeprefix('>=')}.0"
    assert f"Python {asked.removeprefix('>=')} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")
    looked = 0
    for name in re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE):
        try:
            wants = metadata(name)["Requires-Python"]
        except PackageNotFoundError:  # of an extra that is not installed here
            continue
        looked += 1
        assert not wants or SpecifierSet(wants).contains(oldest), f"{name} wants Python {wants}"
    assert looked > 100
