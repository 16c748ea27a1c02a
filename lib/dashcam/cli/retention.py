"""``dashcam retention`` and ``sweep``: what goes by the rules, and what was left behind."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from dashcam import Explained
from dashcam.cli.output import JsonOption, ServerDataOption, out, say, write_json
from dashcam.cli.reach import main_server, scratch_of, stores_of

if TYPE_CHECKING:
    from dashcam.upkeep.retention import Plan

SHOWN = 50

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")]


def register(app: typer.Typer) -> None:
    app.command()(retention)
    app.command()(sweep)


def retention(
    dry_run: DryRunOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Show what is to go by the rules of storage_retention_days, and remove it once you have said yes."""
    from dashcam.upkeep import removing

    with main_server(data) as server:
        stores = stores_of(data)
        plan = removing.announce(server, stores, unattended=False)
        if json_file is not None:
            write_json(json_file, plan)
        show(plan)
        for sentence in plan.refused:
            say(f"Nothing may go now: {sentence}")
        if dry_run or not plan.items:
            return
        if plan.refused:
            raise typer.Exit(1)
        if plan.report_only:
            raise Explained(
                "Retention only reports: to have it remove files, press Begin on the page Storage, or write "
                '"retention": {"enabled": true} into config.json and start the main server anew.'
            )
        if not yes and not typer.confirm(f"Remove these {len(plan.items)} things for good?"):
            raise typer.Exit(1)
        done = removing.carry_out(server, stores, plan)
    for sentence in done.kept:
        say(f"Kept: {sentence}")
    out.print(f"Removed {done.removed} things, {size(done.bytes)}", highlight=False)
    if done.kept:
        raise typer.Exit(1)


def show(plan: "Plan") -> None:
    if not plan.items:
        out.print("Nothing is due")
    else:
        out.print(table_of(plan))
        said = f"{len(plan.items)} things, about {size(plan.bytes)}"
        out.print(f"{said}; {plan.later} more are due" if plan.later else said, highlight=False)
    if plan.report_only:
        say("Report only: nothing goes by itself until an admin has it begin (docs/retention.md)")


def table_of(plan: "Plan") -> Table:
    table = Table(title=f"Plan {plan.plan_id}", title_justify="left", header_style="bold")
    for heading in ("What", "Clip", "Size", "Rule", "Due since"):
        table.add_column(heading, justify="right" if heading == "Size" else "left", overflow="fold")
    for item in plan.items[:SHOWN]:
        known = size(item.bytes) if item.bytes is not None else "small"
        rule = item.rule.removeprefix("storage_retention_days.")
        table.add_row(item.kind, Text(item.name), known, rule, f"{item.goes_at.astimezone():%Y-%m-%d}")
    if len(plan.items) > SHOWN:
        table.add_row("…", f"and {len(plan.items) - SHOWN} more (--json has all)", "", "", "")
    return table


def size(count: int) -> str:
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def sweep(
    dry_run: DryRunOption = False,
    grace_hours: Annotated[float, typer.Option(min=0.1, help="What was changed later than this is left alone.")] = 24,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Remove what crashes and late runs have left in the stores and in this machine's scratch, and report the rest."""
    from dashcam.upkeep import sweep as upkeep

    with main_server(data) as server:
        scratches = upkeep.scratches_of(scratch_of(data))
        swept = upkeep.sweep(server, stores_of(data), scratches, grace_hours * 3600, dry_run)
    if json_file is not None:
        write_json(json_file, swept)
    table = Table(title="Left behind", title_justify="left", header_style="bold")
    for heading in ("Where", "Size", "Removed", "Why"):
        table.add_column(heading, justify="right" if heading == "Size" else "left", overflow="fold")
    for one in swept.left[:SHOWN]:
        table.add_row(Text(one.place), size(one.bytes), "yes" if one.removed else "no", Text(one.why))
    if len(swept.left) > SHOWN:
        table.add_row(f"… and {len(swept.left) - SHOWN} more (--json has all)", "", "", "")
    out.print(table if swept.left else "Nothing was left behind")
    for sentence in swept.trouble:
        say(sentence)
    if swept.trouble:
        raise typer.Exit(1)
