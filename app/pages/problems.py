"""What a browser is shown where there is no page, and where one of ours fails: in the house's look, with what to do."""

from fastapi import Request
from fastapi.exception_handlers import http_exception_handler
from nicegui import Client, app, ui
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from app.access.refusals import wants_page
from app.pages import parts
from app.pages.frame import frame
from app.pages.parts import link, tag

BROKEN = "This page could not be made. What went wrong is in the main server's log."


def register() -> None:
    app.add_exception_handler(404, not_there)
    app.on_page_exception(broken)


async def not_there(request: Request, error: Exception) -> Response:
    """Of an address that is no page's; what a route of ours does not find it says itself."""
    its_own = request.scope.get("endpoint") not in (None, app) and not request.scope.get("nicegui_page_path")
    if its_own and isinstance(error, HTTPException):
        return await http_exception_handler(request, error)
    if not wants_page(request):
        return JSONResponse({"detail": "There is nothing at this address."}, 404)
    with Client(ui.page(""), request=request) as client, frame("No such page", ""):
        what = "Its address may be mistyped, or of a page that is no more. The pages are named above."
        parts.empty("search_off", "There is no such page", what, alone=True)
        ways("/")
    return client.build_response(request, 404)


def broken() -> None:
    """A mistake of ours: the person hears that there was one, its traceback is the log's alone."""
    with frame("Something went wrong", ""):
        what = f"{BROKEN} Try it again; if it stays so, `dashcam support-bundle` collects what a report needs."
        parts.empty("error", "Something went wrong", what, alone=True)
        ways("")


def ways(again: str) -> None:
    with tag("p", "pager"):
        if not again:
            link("", "button primary", "Try again")
        link("/", "button", "To the first page")
