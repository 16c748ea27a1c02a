"""The log-in, the log-out, and what a proxy asks before it lets somebody through to another page of this site."""

import asyncio
from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from app import system
from app.access import callers, shell
from app.access.addresses import is_secure
from app.access.entry import COOKIE, WrongPassword
from app.access.limits import TooMany
from app.access.refusals import inside
from dashcam.access import users
from dashcam.access.roles import Role

router = APIRouter(include_in_schema=False)
NOBODY_YET = (
    "Nobody can log in yet. On the main server, type: dashcam user add NAME --role admin. It asks for a password."
)


@router.get("/log-in")
async def ask(next: str = "/") -> Response:
    here = system.current()
    if not await here.ask(users.anybody):
        return shell.page("Log in", NOBODY_YET)
    return form(inside(next), "")


@router.post("/log-in")
async def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=4000)] = "/",
) -> Response:
    here, target = system.current(), inside(next)
    address, agent = here.access.address(request), request.headers.get("user-agent", "")
    try:
        secret = await asyncio.to_thread(here.access.log_in, name, password, address, agent)
    except WrongPassword as wrong:
        return form(target, str(wrong), 401, name)
    except TooMany as many:
        return form(target, str(many), 429)
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(here.access.lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_secure(request, here.site.access.trusted_proxies),
    )
    return answer


@router.post("/log-out")
async def log_out(request: Request) -> Response:
    here, caller = system.current(), callers.current()
    if caller is not None:
        await asyncio.to_thread(here.access.log_out, caller, here.access.address(request))
    answer = RedirectResponse("/log-in", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer


@router.get("/log-in/check")
async def check(request: Request) -> Response:
    """For a proxy (Caddy's ``forward_auth``) in front of Prefect's pages: whether an admin asks."""
    caller = callers.current()
    if caller is None:
        return RedirectResponse(f"{system.current().site.server.url}/log-in", 303)
    if not caller.may(Role.ADMIN):
        return PlainTextResponse("That is for an admin.", 403)
    return Response(status_code=204, headers={"X-Dashcam-User": caller.who})


def form(target: str, trouble: str, status: int = 200, name: str = "") -> Response:
    """``autofocus`` is where there is something to type."""
    first, then = ("", " autofocus") if name else (" autofocus", "")
    more = f"""<form method="post" action="/log-in" class="log-in">
<input type="hidden" name="next" value="{escape(target)}">
<label>Name<input class="field" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none"
 spellcheck="false" required maxlength="40"{first}></label>
<label>Password<input class="field" name="password" type="password" autocomplete="current-password" required
 maxlength="200"{then}></label>
<button class="button primary" type="submit">Log in</button>
</form>"""
    return shell.page("Log in", trouble or "To see what your cameras have recorded.", more, status)
