"""Mistakes in settings as plain sentences: file, key, what is wrong, what is allowed."""

import difflib
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dashcam import Explained

SECRET_KEYS = {"database_url", "urls"}


class ConfigError(Explained):
    """The settings cannot be used; ``sentences`` has one plain sentence for each mistake."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = list(sentences)


def sentences_of(error: ValidationError, where: str, model: type[BaseModel]) -> list[str]:
    """One sentence for each of pydantic's findings; ``where`` is the file, or the environment, they are in."""
    return [_sentence(finding, where, model) for finding in error.errors(include_url=False)]


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` or the list of what is known."""
    names = sorted(known)
    begun = [full for full in names if name and full.startswith(name.lower())]
    close = begun or difflib.get_close_matches(name.lower(), names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(names)}." if names else "none is known here."


def _sentence(finding: ErrorDetails, where: str, model: type[BaseModel]) -> str:
    location = [str(part) for part in finding["loc"] if part != "[key]"]
    key = ".".join(part if part.isprintable() and len(part) <= 60 else _short(part) for part in location)
    if finding["type"] == "extra_forbidden":
        return f"{where}: {key} is not a known key; {nearest(location[-1], _keys_at(model, location[:-1]))}"
    if finding["type"] == "missing":
        return f"{where}: {key} is missing."
    message = finding["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if finding["type"] == "literal_error":
        message = f"allowed is {finding['ctx']['expected']}"
        if location[:-1] == ["storage_paths", "indoor_nas"]:
            message += ": give the folder that name, or put a link with that name beside it"
    if finding["type"] in ("model_type", "dict_type"):
        message = "must be a JSON object, from { to }"
    value = "" if set(location) & SECRET_KEYS else f" is {_short(finding['input'])},"
    return f"{where}: {key}{value} but {message}." if value else f"{where}: {key} {message}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_at(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    """The keys that the section at ``location`` of a model may have."""
    here: Any = model
    for part in location:
        if isinstance(here, type) and issubclass(here, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in here.model_fields.items()}
            here = fields.get(part)
        elif get_origin(here) is dict:
            here = get_args(here)[1]
        if get_origin(here) in (Union, UnionType):
            here = next(arm for arm in get_args(here) if arm is not type(None))
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []
