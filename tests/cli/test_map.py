"""``dashcam map``: streets are taken in whole, said in one line, and taken away again."""

from pathlib import Path

from typer.testing import CliRunner

from dashcam.cli import app
from tests.app import drawn_streets


def test_streets_are_put_where_the_server_looks_and_taken_away(tmp_path: Path) -> None:
    from dashcam.embedded.home import Home, Ports

    data = tmp_path / "data"
    home = Home(data)
    home.prepare()
    home.write_settings(Ports(1, 2))
    file = drawn_streets.write(tmp_path / "town.pmtiles", 44.43, 26.1)
    run = CliRunner()
    got = run.invoke(app, ["map", "get", str(file), "--data", str(data)])
    assert got.exit_code == 0, got.output
    assert "44.38 to 44.48 N" in got.output and "zoom 12 to 14, © OpenStreetMap" in got.output
    assert (data / "streets.pmtiles").read_bytes() == file.read_bytes()
    assert run.invoke(app, ["map", "drop", "--data", str(data)]).exit_code == 0
    assert not (data / "streets.pmtiles").exists()
    for wrong, said in ((["drop"], "There are no streets"), (["get", "none"], "There is no file none")):
        told = run.invoke(app, ["map", *wrong, "--data", str(data)])
        assert told.exit_code == 1 and said in told.output
