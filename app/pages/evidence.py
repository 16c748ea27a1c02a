"""On a clip's page: a stretch of it taken out as a bundle that proves itself."""

from app import wording
from app.access import callers
from app.pages import parts
from app.pages.parts import tag
from dashcam.access.roles import Role
from dashcam.catalog.videos import VideoDetail
from dashcam.evidence.order import LONGEST_S, finds_faces

BEFORE_S, AFTER_S = 10.0, 10.0
"""Of the second at which the page was opened, that are proposed."""


def section(found: VideoDetail, t_s: float | None) -> None:
    """``t_s``: the second of the clip that the page is opened at."""
    duration_s = found.duration_s or 0.0
    if found.media is None or not duration_s or not callers.may(Role.MEMBER):
        return
    first = max(0.0, (t_s or 0.0) - BEFORE_S)
    last = min(duration_s, first + BEFORE_S + AFTER_S)
    with parts.section("Evidence"), tag("form", "panel pad evidence", action="/export/evidence.zip", method="get"):
        tag(
            "p",
            "muted small",
            "A ZIP file with the stretch, its original, crops, all reads, positions and a page to print.",
        )
        tag("input", type="hidden", name="video", value=found.video_id)
        tag("input", type="hidden", name="ticket", value="")
        with tag("div", "filters"):
            for name, label, value in (("first", "From second", first), ("last", "To second", last)):
                with tag("label", "dated"):
                    tag("span", "muted small", label)
                    limits = {"min": "0", "max": f"{duration_s:.2f}", "step": "0.01"}
                    tag("input", "field", name=name, type="number", value=f"{value:.2f}", required=True, **limits)
        with tag("label", "dated"):
            tag("span", "muted small", "About the plate")
            with tag("select", "field", name="plate"):
                tag("option", value="", text="no one plate")
                for text in dict.fromkeys(one.text for one in found.sightings if one.confirmed):
                    tag("option", value=text, text=text)
        choices = [("blur", "Make every other plate unreadable")]
        if finds_faces():
            choices.append(("faces", "Make faces unreadable"))
        for name, label in choices:
            with tag("label", "choice small"):
                tag("input", type="checkbox", name=name, value="true")
                tag("span", text=label)
        tag("button", "button", "Take it out", type="submit")
        label = "How much of the bundle is made"
        with tag("div", "progress", role="progressbar", aria_label=label, aria_valuenow="0", hidden=True):
            tag("span")
        tag("p", "small making", role="status")
        tag(
            "p",
            "muted small",
            f"Signed, so that `dashcam verify` finds any change. Up to {wording.footage(LONGEST_S)}.",
        )
