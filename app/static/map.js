// What Folium cannot do without jQuery or without trusting text: pins with popups, the moving dot, the graticule.
import { leaflet as L } from "leaflet";
import { Ground } from "map-ground";
import { choose, choosePlace, passesAt, placesAgain } from "map-passes";
import { addStreets } from "map-streets";

window.L = L;
const inFrame = window.parent !== window;
const here = location.pathname.split("/").at(-1);

function element(tag, text, attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  if (text) made.textContent = text;
  return made;
}

const [SURE, UNSURE] = ["#0f766e", "#8a94a0"];
const pins = new Map(); // by the number of the sighting
const said = new Map(); // what an opened pin says, by the same
let listed = false; // the page around the map has the list of its pins

window.dashcamList = (map) => {
  listed = true;
  window.addEventListener("message", (event) => {
    if (event.origin !== location.origin || !Number.isInteger(event.data?.pin)) return;
    const { pin, place } = event.data;
    map.setView(place, Math.max(map.getZoom(), 15), { animate: false });
    const asked = pins.get(pin);
    if (asked) {
      telling(asked).openPopup();
      said.get(pin)?.whole.then((box) => box.querySelector("a")?.focus());
    } else L.popup().setLatLng(place).setContent(element("span", "It was here.")).openOn(map);
  });
};

// the entry on the page around the map; where that shows another part of the list, the page with the entry
function listLink(entry, address) {
  const link = element("a", "In the list", { href: address, target: "_parent" });
  link.onclick = (click) => {
    if (!inFrame || !parent.document.getElementById(`s${entry}`)) return;
    click.preventDefault();
    parent.postMessage({ entry }, location.origin);
  };
  return link;
}

window.dashcamRoute = (map, lines) =>
  L.geoJSON(lines, { smoothFactor: 0, style: ({ properties }) => ({ color: properties.colour, weight: 5, opacity: 0.9 }) }).addTo(map);

// they lie below the pins and take no click: at the scale of a street an ellipse covers most of them
window.dashcamEllipses = (map, rings) => {
  for (const [ring, sure] of rings)
    L.polygon(ring, { interactive: false, color: sure ? SURE : UNSURE, weight: 1.5, opacity: 0.8, dashArray: "5 4", fillOpacity: 0.1 }).addTo(map);
};

// a dot that a click opens; the map below it, where a click means the route, hears nothing of that
const dot = (at, radius, fillColor, fillOpacity) =>
  L.circleMarker(at, { radius, color: "#ffffff", weight: 2, opacity: 1, fillColor, fillOpacity, bubblingMouseEvents: false });

window.dashcamPins = (map, all) => {
  const group = L.featureGroup().addTo(map);
  for (const [lat, lon, entry, sure, text] of all) {
    const pin = dot([lat, lon], 7, sure ? SURE : UNSURE, 0.95).addTo(group);
    pin.seen = { entry, text };
    pins.set(entry, pin);
  }
  group.on("mouseover", ({ propagatedFrom: pin }) => pin.getPopup() || telling(pin).openTooltip());
  group.on("click", ({ propagatedFrom: pin }) => pin.getPopup() || telling(pin).openPopup());
};

// a pin that tells of its sighting: of thousands few are ever pointed at
function telling(pin) {
  if (pin.getPopup()) return pin;
  const { entry, text } = pin.seen;
  pin.bindTooltip(() => element("span", text, { className: "plate" }), { direction: "top", offset: [0, -6] });
  return pin.bindPopup(() => saidOf(entry, pin), { maxWidth: 240, minWidth: 150 });
}

window.dashcamEvents = (map, events) =>
  L.geoJSON(events, {
    pointToLayer: ({ properties }, at) => dot(at, 8, properties.colour, 1),
    onEachFeature: saidOfEvent,
  }).addTo(map);

// asked for when it is opened: a plate may have been seen thousands of times
function saidOf(entry, layer) {
  if (said.has(entry)) return said.get(entry);
  const box = element("div", "", { className: "both" });
  box.append(element("span", "\u2026"));
  said.set(entry, box);
  box.whole = fetch(`/maps/pins/${entry}`)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
    .then((told) => box.replaceChildren(pinLink(told), ...(listed ? [listLink(entry, told.list)] : [])))
    .then(() => layer.getPopup().update())
    .catch(() => {
      box.replaceChildren(element("span", "This cannot be told now: try again."));
      layer.getPopup().update();
      said.delete(entry);
    })
    .then(() => box);
  return box;
}

function pinLink({ text, when, clip, other, crop, href, video, t }) {
  const link = element("a", "", { href, target: "_parent", className: "pin" });
  link.append(
    element("img", "", { src: crop, alt: "", onerror: (event) => event.target.remove() }),
    element("span", text, { className: "plate" }),
    element("span", when),
    element("span", clip, { className: "clip" }),
  );
  if (other) link.append(element("span", other, { className: "clip" }));
  if (plays())
    link.onclick = (event) => {
      event.preventDefault();
      goTo(href);
    };
  else if (inFrame && video === here)
    link.onclick = (event) => {
      event.preventDefault();
      parent.postMessage({ seek: t }, location.origin);
    };
  return link;
}

function saidOfEvent(feature, layer) {
  const { text, when, href } = feature.properties;
  layer.bindTooltip(element("span", text, { className: "estimate" }), { direction: "top", offset: [0, -6] });
  layer.bindPopup(() => {
    const link = element("a", "", { href, target: "_parent", className: "pin" });
    link.append(element("strong", text), element("span", when), element("span", "Show the video", { className: "clip" }));
    if (plays())
      link.onclick = (event) => {
        event.preventDefault();
        goTo(href);
      };
    return link;
  });
}

// in a page that plays the whole trip it is asked to go there; elsewhere the clip's page is opened
const plays = () => inFrame && parent.document.querySelector("dashcam-player")?.isTrip;
const goTo = (address) => {
  const { pathname, searchParams } = new URL(address, location.origin);
  if (!plays()) return parent.location.assign(address);
  parent.postMessage({ seek: Number(searchParams.get("t")), video: pathname.split("/").at(-1) }, location.origin);
};

// a click on the route leads to the second in which the car was there; where it came by several times, one is chosen
function routed(map, fixes, gap, said) {
  map.on("click", (event) => {
    const spots = fixes.map((fix) => ({ fix, point: map.latLngToContainerPoint([fix.lat, fix.lon]) }));
    const passes = passesAt(spots, event.containerPoint, gap);
    if (passes.length > 1) choose(map, event.latlng, passes, said);
    else passes.forEach((pass) => said.go(pass.fix));
  });
  control(map, "bottomleft", "again", (box) => {
    L.DomEvent.disableClickPropagation(box);
    const button = box.appendChild(element("button", "Driven twice?", { type: "button" }));
    button.onclick = () => choosePlace(map, placesAgain(map, fixes, gap), said, button);
  });
}

window.dashcamJump = (map, places, { clock, clips, gap }) => {
  const fixes = places.map(([lat, lon, href, t]) => ({ lat, lon, href, t }));
  routed(map, fixes, gap, {
    when: (fix) => timeOfDay(clock + fix.t),
    clip: (fix) => clips[fix.href.split("?")[0]],
    go: (fix) => goTo(fix.href),
  });
  followed(map, places.map(([lat, lon, , t]) => [t, lat, lon]));
};

function timeOfDay(seconds) {
  const parts = [seconds / 3600, seconds / 60, seconds].map((value, at) => Math.floor(value) % (at ? 60 : 24));
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

// the dot is where the car was at the second that the player tells
function followed(map, fixes) {
  if (!fixes.length) return;
  const dot = L.circleMarker(fixes[0].slice(1), { radius: 8, color: "#fff", weight: 3, fillColor: "#111827", fillOpacity: 1, interactive: false, className: "car" });
  const place = (t) => {
    let low = 0, high = fixes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (fixes[middle][0] < t) low = middle + 1;
      else high = middle;
    }
    if (low === 0 || low === fixes.length) return fixes.at(low ? -1 : 0).slice(1);
    const [a, b] = [fixes[low - 1], fixes[low]];
    const part = (t - a[0]) / (b[0] - a[0] || 1);
    return [a[1] + part * (b[1] - a[1]), a[2] + part * (b[2] - a[2])];
  };
  window.addEventListener("message", (event) => {
    if (event.origin !== location.origin || typeof event.data?.t !== "number") return;
    dot.setLatLng(place(event.data.t)).addTo(map);
    if (!map.getBounds().contains(dot.getLatLng())) map.panTo(dot.getLatLng());
  });
  window.dashcamCar = () => dot.getLatLng();
  if (inFrame) parent.postMessage({ ready: true }, location.origin);
}

window.dashcamFollow = (map, fixes, gap) => {
  followed(map, fixes);
  if (!inFrame) return;
  const route = fixes.map(([t, lat, lon]) => ({ lat, lon, t, href: `/videos/${here}?t=${t.toFixed(2)}` }));
  routed(map, route, gap, {
    when: (fix) => timeOfDay(fix.t).replace(/^00:/, ""),
    clip: () => "",
    go: (fix) => parent.postMessage({ seek: fix.t }, location.origin),
  });
};

window.dashcamFurniture = (map, { ground, legend, estimates, streets }) => {
  // a map that is not whole in the window would move under the pointer that presses it, and the click be lost
  const place = map.getContainer(), focus = place.focus.bind(place);
  place.focus = () => focus({ preventScroll: true });
  L.control.scale({ imperial: false }).addTo(map);
  if (legend.length || estimates) control(map, "topright", "legend", (box) => {
    // a phone's map is too small for what lies over it: there a touch opens it
    box = box.appendChild(element("details", "", { open: innerHeight > 320 }));
    box.append(element("summary", "Legend"));
    for (const [colour, label] of legend) {
      const line = element("span", label);
      line.prepend(element("i", "", { style: `background:${colour}` }));
      box.append(line);
    }
    if (!estimates) return;
    const guess = element("span", "other car, estimated");
    guess.prepend(element("i", "", { className: "guess" }));
    box.append(guess);
  });
  if (!ground) return;
  control(map, "bottomright", "hint", (box) => {
    const from = streets ? streets.from && `Streets: ${streets.from}.` : "For streets: dashcam map get.";
    box.append(element("span", `Land: Natural Earth. Towns: GeoNames, CC BY 4.0. ${from}`));
  });
  map.whenReady(() => new Ground(map));
  if (streets) map.whenReady(() => addStreets(map, streets));
  const lines = L.layerGroup().addTo(map);
  map.whenReady(() => drawGraticule(map, lines));
  map.on("moveend", () => drawGraticule(map, lines));
};

function control(map, position, className, fill) {
  const box = element("div", "", { className: `dashcam-${className}` });
  fill(box);
  const made = L.control({ position });
  made.onAdd = () => box;
  made.addTo(map);
}

// the roundest step in degrees that gives lines about 110 pixels apart
function stepOf(degreesPerPixel) {
  const wanted = 110 * degreesPerPixel;
  const magnitude = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].find((factor) => factor * magnitude >= wanted) * magnitude;
}

function drawGraticule(map, lines) {
  lines.clearLayers();
  const bounds = map.getBounds();
  const { x: width, y: height } = map.getSize();
  if (!width || !height) return;
  const digits = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const style = { className: "graticule", weight: 1, interactive: false, color: "#8a94a0", opacity: 0.35 };
  const label = (place, text, className) => {
    const { x, y } = map.latLngToContainerPoint(place);
    if (className === "west" ? y < 84 || y > height - 40 : x < 50 || x > width - 130) return; // under the controls
    L.marker(place, {
      interactive: false,
      keyboard: false,
      icon: L.divIcon({ className: `grid-label ${className}`, html: element("span", text), iconSize: [0, 0] }),
    }).addTo(lines);
  };
  const south = Math.max(bounds.getSouth(), -85), north = Math.min(bounds.getNorth(), 85);
  const byLat = stepOf((north - south) / height), byLon = stepOf((bounds.getEast() - bounds.getWest()) / width);
  for (let lat = Math.ceil(south / byLat) * byLat; lat < north; lat += byLat) {
    L.polyline([[lat, bounds.getWest() - byLon], [lat, bounds.getEast() + byLon]], style).addTo(lines);
    label([lat, bounds.getWest()], `${Math.abs(lat).toFixed(digits(byLat))}° ${lat < 0 ? "S" : "N"}`, "west");
  }
  for (let lon = Math.ceil(bounds.getWest() / byLon) * byLon; lon < bounds.getEast(); lon += byLon) {
    L.polyline([[south - byLat, lon], [north + byLat, lon]], style).addTo(lines);
    label([bounds.getNorth(), lon], `${Math.abs(lon).toFixed(digits(byLon))}° ${lon < 0 ? "W" : "E"}`, "north");
  }
}
