"""Pages for whoever is not in: plain HTML in the house's style. They need no script, open no websocket and leave
nothing in the server's memory, so a stranger has nothing to play with."""

from html import escape

from starlette.responses import HTMLResponse

from app import addresses

HOME = '<p><a class="button primary" href="/">To the first page</a></p>'


def page(title: str, sentence: str, more: str = "", status: int = 200) -> HTMLResponse:
    """``more`` is HTML; everything else is text."""
    style, theme, sign = (addresses.static_url(name) for name in ("app.css", "theme.js", "favicon.svg"))
    return HTMLResponse(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Dashcam Processor</title>
<link rel="icon" href="{sign}">
<script src="{theme}"></script>
<link rel="stylesheet" href="{style}">
</head>
<body>
<main class="door">
<img src="{sign}" alt="" width="44" height="44">
<h1>{escape(title)}</h1>
<p class="muted" role="status">{escape(sentence)}</p>
{more}
</main>
</body>
</html>
""",
        status,
        {"Cache-Control": "no-store"},
    )
