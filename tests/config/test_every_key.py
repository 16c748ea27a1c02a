"""A setting that is accepted does something: every key of the model is read by the code, or can have one value only."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dashcam.config import DeviceFile, DeviceSettings, Site
from dashcam.config.model import Lens
from dashcam.config.privacy import Zone
from tests.cli.running import REPOSITORY

SOURCES = [path for room in ("lib/dashcam", "app", "flows", "blocks") for path in (REPOSITORY / room).rglob("*.py")]
CONFIG = REPOSITORY / "lib/dashcam/config"
Key = tuple[type[BaseModel], str]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that a field may hold, in unions, lists and dicts too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def all_models() -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    waiting: list[type[BaseModel]] = [Site, DeviceFile, DeviceSettings]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [inner for field in model.model_fields.values() for inner in models_in(field.annotation)]
    return found


def one_value_only(field: FieldInfo) -> bool:
    """As ``Literal["raw/", "raw"]``: every other value is refused with a sentence, so none is ignored."""
    allowed = field.annotation
    if get_origin(allowed) in (Union, UnionType):
        allowed = next(arm for arm in get_args(allowed) if arm is not type(None))
    return get_origin(allowed) is Literal and len({str(value).rstrip("/") for value in get_args(allowed)}) == 1


def names_of_sections(trees: dict[Path, ast.Module]) -> dict[str, set[type[BaseModel]]]:
    """What the code calls a section: the field that holds it, and whatever is annotated with its class."""
    names: dict[str, set[type[BaseModel]]] = defaultdict(set)
    by_class = {model.__name__: model for model in all_models()}
    for model in by_class.values():
        for name, field in model.model_fields.items():
            for inner in models_in(field.annotation):
                names[name].add(inner)
    for name, model in (
        ("load_site", Site),
        ("load_device", DeviceSettings),
        ("lens", Lens),
        ("zone", Zone),
        ("_validated", DeviceFile),
    ):
        names[name].add(model)
    for tree in trees.values():
        for node in ast.walk(tree):
            match node:
                case ast.arg(arg=name, annotation=annotation) if annotation is not None:
                    pass
                case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=annotation):
                    pass
                case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
                    annotation = value
                case _:
                    continue
            if isinstance(node, ast.Assign):
                names[name] |= names.get(last_name(annotation), set())
            else:
                said = ast.unparse(annotation).replace('"', "")
                names[name] |= {model for cls, model in by_class.items() if cls in said.replace("|", " ").split()}
    return names


def last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return last_name(function)
        case ast.Subscript(value=value):
            return last_name(value)
    return ""


def read_keys() -> set[Key]:
    """Every ``section.key`` in the code. A device's file is read by what makes `DeviceSettings` of it, and those by all
    others."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    names = names_of_sections(trees)
    read: set[Key] = set()
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                within = path.parent == CONFIG
                for model in names.get(last_name(node.value), set()):
                    if model not in (DeviceFile, DeviceSettings) or within is (model is DeviceFile):
                        read.add((model, node.attr))
    inside = ast.parse((CONFIG / "model.py").read_text(encoding="utf-8"))
    for section in (node for node in inside.body if isinstance(node, ast.ClassDef)):  # self.key, in its own methods
        for node in ast.walk(section):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                read |= {(model, node.attr) for model in all_models() if model.__name__ == section.name}
    return read


def test_every_key_is_read() -> None:
    read = read_keys()
    idle = {
        f"{model.__name__}.{name}"
        for model in all_models()
        for name, field in model.model_fields.items()
        if (model, name) not in read and not one_value_only(field)
    }
    assert not idle, f"accepted, and nothing reads it: {sorted(idle)}"
