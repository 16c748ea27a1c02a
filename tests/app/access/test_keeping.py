"""Who may say on the page Storage how long what is kept, and who is said to have."""

import asyncio

import pytest
from sqlalchemy import select

from app.access import callers
from app.access.callers import Caller, NotAllowed
from app.pages import keeping
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.database import reading
from tests.app.access.conftest import Home, act, opened
from tests.app.access.test_home_zone import program
from tests.app.access.test_own_pages import button, words

FORM = {"raw_videos": "45", "preproc_data": "30", "heavy_output": "7", "lowres_months": ""}


def noted(home: Home) -> list[tuple[str, str]]:
    with reading(home.here.engine) as session:
        kept = select(AuditEntry.who, AuditEntry.what).where(AuditEntry.kind == "deletion")
        return [(who, what) for who, what in session.execute(kept.order_by(AuditEntry.audit_id)).tuples()]


def test_a_member_is_told_and_may_try_other_rules_but_takes_none(home: Home) -> None:
    home.add("ben", Role.MEMBER)
    browser = home.logged_in("ben")
    said = browser.get("/storage").text
    assert "Only reported" in said and "Show what would go" in said
    assert "Begin" not in said and "Take these rules" not in said
    with callers.speaking(Caller("ben", "session", Role.MEMBER)), pytest.raises(NotAllowed, match="for an admin"):
        asyncio.run(keeping.taken(keeping.rules_of(FORM)))
    assert home.here.site.global_.storage_retention_days.raw_videos == 90
    for method in ("put", "delete"):
        given = {"json": {"enabled": True}} if method == "put" else {}
        assert getattr(program(home, Role.MEMBER), method)("/retention/rules", **given).status_code == 403
    assert not home.here.site.retention.enabled and noted(home) == []


def test_an_admin_has_it_begin_takes_rules_and_goes_by_the_settings_again(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    page = opened(browser, "/storage")
    begin = button(page, "Yes: what is due goes every night")
    act(browser, page, begin, {}, lambda: len(noted(home)) == 1)
    assert home.here.site.retention.enabled
    page = opened(browser, "/storage")
    assert "What is due goes every night" in words(page.layout) and "As ana said here on" in words(page.layout)
    form = next(one for one in page.elements.values() if one.tag == "form" and "Take these rules" in words(one))
    act(browser, page, form, FORM | {"take": "yes"}, lambda: len(noted(home)) == 2)
    assert home.here.site.global_.storage_retention_days.raw_videos == 45 and home.here.site.retention.enabled
    page = opened(browser, "/storage")
    act(browser, page, button(page, "Go by config.json"), {}, lambda: len(noted(home)) == 3)
    assert home.here.site.global_.storage_retention_days.raw_videos == 90 and not home.here.site.retention.enabled
    assert "As ana said" not in words(opened(browser, "/storage").layout)
    assert noted(home) == [
        ("ana", "had what is due go every night"),
        ("ana", "said how long what is kept"),
        ("ana", "had config.json say again how long what is kept"),
    ]
