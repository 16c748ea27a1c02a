"""What the commands share: their options, the two consoles, and how trouble is said."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from typer.core import TyperGroup

from dashcam import Explained, config

out = Console()
err = Console(stderr=True)

JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Data folder of the embedded system; default $DASHCAM_DATA, else the user's data folder."
    ),
]
ServerDataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder of the embedded system; default: $DASHCAM_CONFIG's server, else as `up`."),
]
"""For commands that only ask: a site's main server answers them too."""


class PlainGroup(TyperGroup):
    """Commands whose expected trouble is one plain sentence and exit status 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if (sentence := sentence_of(error)) is None:
                raise
            err.print(f"dashcam: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1) from error


def sentence_of(error: Exception) -> str | None:
    """What a person is told; None for what nobody expected."""
    if isinstance(error, Explained):
        return str(error)
    if isinstance(error, ImportError):
        return f"A package of this installation cannot be loaded ({error}): run `make setup` in its folder."
    if isinstance(error, PermissionError) and is_of_the_site(error.filename):
        return f"{error.filename} is open to root and to the site's own user: put `sudo` before the command."
    if isinstance(error, OSError) and (sentence := disk_sentence(error)):
        return sentence
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used ({error.strerror}): choose another."
    return None


def is_of_the_site(file: object) -> bool:
    return isinstance(file, str | os.PathLike) and Path(file).is_relative_to(config.config_folder())


def disk_sentence(error: OSError) -> str | None:
    from dashcam.storage.bundle import disk_trouble  # its time is saved while all is well

    return disk_trouble(error)


def group(purpose: str) -> typer.Typer:
    app = typer.Typer(cls=PlainGroup, help=purpose, no_args_is_help=True, add_completion=False)
    app.callback()(lambda: None)  # one command alone would become the group itself
    return app


def say(line: str) -> None:
    """What happens, beside the result: to standard error."""
    err.print(line, markup=False, highlight=False, soft_wrap=True)


def write_json(file: Path, result: BaseModel | Any) -> None:
    """`Explained` when that is not possible."""
    text = result.model_dump_json(indent=2) if isinstance(result, BaseModel) else json.dumps(result, indent=2)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(file, error) from error


def unwritable(file: Path, error: OSError) -> Explained:
    return Explained(f"The result cannot be written to {file} ({error.strerror}): choose another file.")
