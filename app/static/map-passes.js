// Where a road was driven more than once a click means any of the times: which ones, and a list to choose from.
import { leaflet as L } from "leaflet";

const NEAR = 20; // pixels: as far from the route a click still means it
const APART = 60; // s: who is near a place again after that has come by a second time
const BACK = 120; // degrees: who comes by otherwise than before goes the other way
const MOVED = 2e-5; // degrees: what lies between two fixes of a car that stands is no way
const WINDS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];

const turn = (one, other) => Math.abs(((one - other + 540) % 360) - 180);

// degrees from north; nothing where the car stands
function course(from, to) {
  const north = to.lat - from.lat, east = (to.lon - from.lon) * Math.cos((to.lat * Math.PI) / 180);
  return Math.hypot(north, east) < MOVED ? undefined : ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
}

// each time that the car came by: the nearest fix, and where it went. Fixes further apart than the gap are no way.
export function passesAt(map, point, fixes, gap) {
  const passes = [];
  let before, left = true;
  for (const fix of fixes) {
    const here = { fix, point: map.latLngToContainerPoint([fix.lat, fix.lon]) };
    here.away = here.point.distanceTo(point);
    const from = before && fix.t - before.fix.t <= gap ? before : null;
    const away = from ? L.LineUtil.pointToSegmentDistance(point, from.point, here.point) : here.away;
    if (away < NEAR) {
      const pass = { fix: from && from.away < here.away ? from.fix : fix, away, until: fix.t, course: from ? course(from.fix, fix) : undefined };
      const last = passes.at(-1);
      const again = last && left && (fix.t - last.until > APART || turn(pass.course, last.course) > BACK);
      if (!last || again) passes.push(pass);
      else Object.assign(last, away < last.away ? { ...pass, course: pass.course ?? last.course } : { until: fix.t, course: last.course ?? pass.course });
    }
    left = away >= NEAR;
    before = here;
  }
  return passes;
}

const goes = (pass) => (pass.course === undefined ? "" : `going ${WINDS[Math.round(pass.course / 45) % 8]}`);

// the list has the focus, Escape gives it back to the map; what is said of a pass comes from outside: text, never HTML
export function choose(map, at, passes, { when, clip, go }) {
  const list = Object.assign(document.createElement("div"), { className: "passes" });
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", `Driven here ${passes.length} times`);
  const say = (place, tag, text) => text && place.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
  say(list, "strong", `Driven here ${passes.length} times`);
  for (const pass of passes) {
    const link = list.appendChild(Object.assign(document.createElement("a"), { href: pass.fix.href, target: "_parent" }));
    say(link, "b", when(pass.fix));
    say(link, "span", goes(pass));
    say(link, "small", clip(pass.fix));
    link.onclick = (click) => {
      if (click.ctrlKey || click.metaKey || click.shiftKey) return;
      click.preventDefault();
      map.closePopup();
      go(pass.fix);
    };
  }
  list.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    map.closePopup();
    map.getContainer().focus();
  };
  L.popup({ minWidth: 170, maxWidth: 260, maxHeight: 220 }).setLatLng(at).setContent(list).openOn(map);
  list.querySelector("a").focus({ preventScroll: true });
}
