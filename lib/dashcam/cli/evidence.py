"""``dashcam verify``: whether bundles of evidence are as they were made."""

from pathlib import Path
from typing import Annotated

import typer

from dashcam.cli.output import say


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    bundles: Annotated[list[Path], typer.Argument(help="ZIP files of evidence.", metavar="BUNDLE...")],
    key: Annotated[
        str, typer.Option(help="The fingerprint of the home's key, as its report prints it: any other is wrong.")
    ] = "",
) -> None:
    """Say whether anything in a bundle of evidence was changed since it was made; status 1 when it was."""
    from dashcam import Explained
    from dashcam.evidence.verify import verify as look_at

    bad = False
    for bundle in bundles:
        try:
            found = look_at(bundle)
        except Explained as error:
            say(str(error))
            bad = True
            continue
        wrong = list(found.wrong)
        if key and found.key and found.key != key.strip().lower():
            wrong.append(f"It is signed with another key: {found.key}.")
        for sentence in wrong:
            say(f"{bundle.name}: {sentence}")
        if not wrong and (made := found.manifest):
            say(
                f"{bundle.name} is as it was made: {made.clip}, {made.first_s:g} to {made.last_s:g} s, "
                f"{len(made.files)} files, {made.made_at} by {made.made_by}."
            )
            say(f"Signed with the key {found.key}" + (" that you named." if key else "; compare it with the home's."))
        bad = bad or bool(wrong)
    if bad:
        raise typer.Exit(1)
