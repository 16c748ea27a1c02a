"""One name, one thing: who reads a name of a class or a type knows which one, without looking where it comes from."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("lib", "app", "flows", "blocks")


def defined(file: Path) -> Iterator[str]:
    """Classes anywhere in a file, and the types that its module names."""
    module = ast.parse(file.read_text())
    yield from (node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef))
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        yield from (to.id for to in targets if isinstance(to, ast.Name) and re.match("[A-Z]+[a-z]", to.id))


def test_no_class_and_no_type_has_the_name_of_another() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for file in (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))):
        for name in defined(file):
            where[name].append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in where.items() if len(files) > 1} == {}
    assert {"Watch", "WorkerWatch", "Say"} <= where.keys()
