"""``dashcam map``: the streets under the maps."""

from pathlib import Path
from typing import Annotated

import typer

from dashcam import Explained, config
from dashcam.cli.output import ServerDataOption, group, out, unwritable
from dashcam.cli.reach import home_of, is_site

app = group("The streets under the maps, from a file of your own: no request leaves the house.")


@app.command()
def get(
    file: Annotated[Path, typer.Argument(help="A PMTiles file: `pmtiles extract` cuts one out (docs/ground.md).")],
    data: ServerDataOption = None,
) -> None:
    """Take a file of streets: every map has them from its next opening on. The one from before goes."""
    from dashcam.gps import streets

    target = place(data)
    try:
        found = streets.put(file, target)
    except OSError as error:
        raise unwritable(target, error) from None
    south, west, north, east = found.bounds
    lowest, deepest = found.header["min_zoom"], found.header["max_zoom"]
    out.print(
        f"{target}  {target.stat().st_size:,} bytes, {south:.2f} to {north:.2f} N, {west:.2f} to {east:.2f} E, "
        f"zoom {lowest} to {deepest}" + (f", {found.attribution}" if found.attribution else ""),
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


@app.command()
def drop(data: ServerDataOption = None) -> None:
    """Take the streets away again: maps have land, borders and towns."""
    target = place(data)
    if not target.exists():
        raise Explained(f"There are no streets ({target}).")
    try:
        target.unlink()
    except OSError as error:
        raise unwritable(target, error) from None


def place(data: Path | None) -> Path:
    site = config.load_site() if is_site(data) else config.load_site(home_of(data).config)
    return Path(site.server.streets_file)
