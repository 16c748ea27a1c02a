"""Who looked plates up, corrected, exported, deleted, logged in or was not let in: an admin's page."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app import addresses, wording
from app.pages import parts
from app.pages.frame import ask, cursor_of, cursor_text, frame, midnight, zone
from app.pages.parts import link, tag
from dashcam.access import audit as log
from dashcam.access.models import AuditEntry
from dashcam.catalog.paging import Cursor

PAGE = 100
KINDS: dict[str, str] = {
    "": "Anything",
    "log-in": "Log-ins",
    "plate": "Looking at plates",
    "correction": "Corrections",
    "export": "Exports",
    "deletion": "Deletions",
    "access": "People and tokens",
    "settings": "Settings",
}


async def audit(who: str = "", kind: str = "", q: str = "", first: str = "", last: str = "", after: str = "") -> None:
    chosen = next((one for one in log.KINDS if one == kind), None)
    cursor = cursor_of(after, int)

    def question(session: Session) -> tuple[Sequence[AuditEntry], Sequence[str]]:
        found = log.entries(
            session, chosen, who, q.strip(), midnight(first), midnight(last, days=1), cursor, limit=PAGE + 1
        )
        return found, log.everybody(session)

    found, everybody = await ask(question)
    shown, more = found[:PAGE], len(found) > PAGE
    filters = {"who": who, "kind": chosen or "", "q": q, "first": first, "last": last}
    with frame("Audit log", "/account"):
        with tag("div", "title-line"):
            parts.page_title("Audit log", "Who did what, kept for a year")
            link("/people", "button small quiet", "People")
        filter_form(filters, everybody)
        if not shown:
            what = "Choose other dates or words." if any(filters.values()) else "It fills up as people log in."
            parts.empty("history", "Nothing like that is written down", what)
        else:
            table(shown)
        end = shown[-1] if more else None
        older = addresses.url("/audit", filters | {"after": cursor_text(Cursor(end.at, end.audit_id))}) if end else None
        parts.pager(older, addresses.url("/audit", filters) if cursor else None)


def filter_form(filters: dict[str, str], everybody: Sequence[str]) -> None:
    with tag("form", "filters", method="get", action="/audit"):
        people = {"": "Anybody"} | {one: one for one in everybody}
        for name, label, options in (("who", "Who", people), ("kind", "What kind", KINDS)):
            with tag("select", "field submits", name=name, aria_label=label):
                for value, text in options.items():
                    tag("option", text=text, value=value, selected=value == filters[name])
        words = {"placeholder": "Words of what was done", "aria_label": "Words of what was done"}
        tag("input", "field grow", name="q", type="search", value=filters["q"], maxlength="100", **words)
        for name, label in (("first", "From"), ("last", "To")):
            with tag("label", "dated muted small"):
                tag("span", text=label)
                tag("input", "field", name=name, type="date", value=filters[name], aria_label=f"{label} this day")
        tag("button", "button", "Filter", type="submit")
        if any(filters.values()):
            link("/audit", "button quiet", "Clear")


def table(entries: Sequence[AuditEntry]) -> None:
    with tag("div", "panel scroll audit"), tag("table", "table"):
        with tag("thead"), tag("tr"):
            for column in ("When", "Who", "What", "Address"):
                tag("th", text=column, scope="col")
        with tag("tbody"):
            for entry in entries:
                with tag("tr"):
                    tag("td", "muted num", wording.moment(entry.at, zone()))
                    tag("td", text=entry.who)
                    with tag("td", "state-cell"):
                        tag("span", text=entry.what)
                    tag("td", "muted num", entry.address)
