// Where a road was driven more than once a click means any of the times: which ones, and a list to choose from.
import { leaflet as L } from "leaflet";

const NEAR = 20; // pixels: as far from the route a click still means it
const APART = 60; // s: who is near a place again after that has come by a second time
const BACK = 120; // degrees: who comes by otherwise than before goes the other way
const MOVED = 2e-5; // degrees: what lies between two fixes of a car that stands is no way
const ZOOM = 16; // at which places are compared that no map shows at once
const SPOT = 60; // pixels there: places nearer to each other are one
const SPOTS = 200; // so many of a route are looked at, and so many are told:
const MOST = 20;
const WINDS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];

const turn = (one, other) => Math.abs(((one - other + 540) % 360) - 180);

// degrees from north; nothing where the car stands
function course(from, to) {
  const north = to.lat - from.lat, east = (to.lon - from.lon) * Math.cos((to.lat * Math.PI) / 180);
  return Math.hypot(north, east) < MOVED ? undefined : ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
}

// each time that the car came by: the nearest fix, and where it went. Fixes further apart than the gap are no way.
// `spots` are fixes with their points, in the pixels of `point`.
export function passesAt(spots, point, gap) {
  const passes = [];
  let before, left = true;
  for (const spot of spots) {
    const { fix } = spot, here = { ...spot, away: spot.point.distanceTo(point) };
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

// places that the car came by more than once, in the order in which it first did
export function placesAgain(map, fixes, gap) {
  const spots = fixes.map((fix) => ({ fix, point: map.project([fix.lat, fix.lon], ZOOM) }));
  const ways = spots.map((spot, at) => (at ? spot.point.distanceTo(spots[at - 1].point) : 0));
  const apart = Math.max(SPOT, ways.reduce((all, way) => all + way, 0) / SPOTS);
  const places = [];
  let since = apart;
  spots.forEach(({ fix, point }, at) => {
    since += ways[at];
    if (since < apart) return;
    since = 0;
    const passes = passesAt(spots, point, gap);
    if (passes.length > 1 && passes[0].until >= fix.t) places.push({ at: [fix.lat, fix.lon], passes });
  });
  const every = Math.ceil(places.length / MOST);
  return places.filter((_, number) => number % every === 0);
}

const goes = (pass) => (pass.course === undefined ? "" : `going ${WINDS[Math.round(pass.course / 45) % 8]}`);

// A list in a popup, which has the focus; Escape gives it back to where it came from. What is said comes from outside:
// text, never HTML.
function offer(map, at, title, back, fill) {
  const list = Object.assign(document.createElement("div"), { className: "passes", tabIndex: -1 });
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", title);
  say(list, "strong", title);
  fill(list);
  list.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    map.closePopup();
    back.focus();
  };
  L.popup({ minWidth: 170, maxWidth: 260, maxHeight: 220 }).setLatLng(at).setContent(list).openOn(map);
  (list.querySelector("a, button") ?? list).focus({ preventScroll: true });
}

const say = (place, tag, text) => text && place.appendChild(Object.assign(document.createElement(tag), { textContent: text }));

export function choose(map, at, passes, { when, clip, go }, back = map.getContainer()) {
  offer(map, at, `Driven here ${passes.length} times`, back, (list) => {
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
  });
}

// for who has no pointer to show a place with: all places of which one can be chosen
export function choosePlace(map, places, said, back) {
  const title = places.length ? "Driven more than once" : "No place was driven more than once";
  offer(map, places[0]?.at ?? map.getCenter(), title, back, (list) => {
    for (const { at, passes } of places) {
      const place = say(list, "button", passes.map((pass) => said.when(pass.fix)).join(" and "));
      place.onclick = () => {
        map.panTo(at, { animate: false });
        choose(map, at, passes, said, back);
      };
    }
  });
}
