// The map of everything: what its window holds is asked for whenever it moves, and a panel beside it says the same.
import { leaflet as L } from "leaflet";
import { AreaTool } from "map-area";
import { Replay } from "map-replay";

const SETTLED_MS = 120; // a map that is being dragged asks for nothing
const ROUTE = "#0f766e";
const NEAR = 6; // pixels around a click on a road
const UNITS = 1e5; // of a line's numbers, per degree
const still = matchMedia("(prefers-reduced-motion: reduce)");

function element(tag, text, attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  if (text) made.textContent = text;
  return made;
}

// each kind of question has one answer under way: what is asked anew is not waited for any more
const under_way = new Map();
async function ask(kind, parameters) {
  under_way.get(kind)?.abort();
  const control = new AbortController();
  under_way.set(kind, control);
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value != null);
  const answer = await fetch(`/map/${kind}?${new URLSearchParams(given)}`, { signal: control.signal });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

// a circle with its count, on the same canvas as the routes
const Cluster = L.CircleMarker.extend({
  _updatePath() {
    L.CircleMarker.prototype._updatePath.call(this);
    const context = this._renderer._ctx;
    if (!this.options.count || !this._renderer._drawing) return;
    context.fillStyle = "#fff";
    context.font = "600 11px Roboto, system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(short(this.options.count), this._point.x, this._point.y);
  },
});

function short(count) {
  if (count < 1000) return `${count}`;
  return count < 999_500 ? `${Math.round(count / 1000)}k` : `${(count / 1e6).toFixed(1)}M`;
}

function places(piece) {
  let [lat, lon] = [0, 0];
  const found = [];
  for (let at = 0; at < piece.length; at += 2) found.push([(lat += piece[at]) / UNITS, (lon += piece[at + 1]) / UNITS]);
  return found;
}

const boxOf = (bounds) => {
  const [south, north] = [bounds.getSouth(), bounds.getNorth()].map((side) => Math.min(90, Math.max(-90, side)));
  const [west, east] = [bounds.getWest(), bounds.getEast()].map((side) => Math.min(180, Math.max(-180, side)));
  return [south, west, north, east].map((side) => side.toFixed(6)).join(",");
};
const boundsOf = ([south, west, north, east]) => L.latLngBounds([south, west], [north, east]);

class Everything {
  constructor(map, options) {
    this.map = map;
    this.options = options;
    this.layers = { heat: L.layerGroup(), routes: L.layerGroup().addTo(map), clusters: L.layerGroup().addTo(map) };
    this.tool = new AreaTool(map, (bounds) => this.drawn(bounds));
    this.replay = new Replay(map, (day) => ask("day", { ...this.filters, ...day }), (one) => sightingOf(one, (lat, lon) => this.show(lat, lon)));
    this.panel = new Panel(this);
    this.chosen = null; // the area that was drawn, instead of the window
    if (options.chosen) {
      this.choose(boundsOf(options.chosen.split(",").map(Number)));
      this.panel.list();
    }
    let settled, seen;
    const settle = () => {
      this.settled = false;
      clearTimeout(settled);
      settled = setTimeout(() => {
        const window = `${boxOf(map.getBounds())} ${map.getZoom()}`;
        if (window !== seen) this.look();
        else this.asked.then(() => (this.settled = true)); // a move that ended where it began
        seen = window;
      }, SETTLED_MS);
    };
    map.on("moveend resize", settle);
    settle(); // where the map begins is told it after this: the whole world is not asked for first
  }

  get filters() {
    const { first, last, plate, unsure } = this.options;
    return { first, last, plate, unsure };
  }

  async look() {
    const wanted = { ...this.filters, box: boxOf(this.map.getBounds()), zoom: Math.min(19, Math.max(0, Math.round(this.map.getZoom()))) };
    const tell = (kind) => (error) => error.name !== "AbortError" && this.panel.trouble(kind);
    const draw = { routes: this.drawRoutes, heat: this.drawHeat, clusters: this.drawClusters };
    const shown = Object.keys(this.layers).filter((kind) => this.map.hasLayer(this.layers[kind]) && this.panel.kinds.includes(kind));
    const answers = shown.map((kind) => ask(kind, kind === "routes" ? { ...wanted, once: true } : wanted).then(draw[kind].bind(this)).catch(tell(kind)));
    if (!this.chosen) answers.push(this.panel.list());
    const mine = (this.asked = Promise.all(answers));
    await mine;
    this.settled = this.asked === mine;
  }

  drawRoutes({ routes, words }) {
    this.layers.routes.clearLayers();
    const roads = routes.flatMap(([trip, line]) => line.map((piece) => [trip, places(piece)]));
    // one layer: thousands of them cost a second
    L.polyline(roads.map(([, way]) => way), { color: ROUTE, weight: 2.5, opacity: 0.65, smoothFactor: 0.5 })
      .on("click", (event) => this.openTrips(this.nearest(roads, event.latlng), event))
      .addTo(this.layers.routes);
    this.raise("clusters"); // whichever answer came first, a click on a cluster is the cluster's
    this.panel.say("routes", words);
  }

  drawHeat({ cells, size, words }) {
    this.layers.heat.clearLayers();
    const most = Math.log1p(Math.max(1, ...cells.map((cell) => cell[2])));
    for (const [south, west, seconds] of cells) {
      const share = Math.log1p(seconds) / most;
      const fillColor = `hsl(${50 - 45 * share} 90% ${62 - 20 * share}%)`;
      L.rectangle([[south, west], [south + size, west + size]], { stroke: false, fillColor, fillOpacity: 0.25 + 0.5 * share, interactive: false }).addTo(this.layers.heat);
    }
    this.raise("routes", "clusters");
    this.panel.say("heat", words);
  }

  raise(...kinds) {
    for (const kind of kinds) this.layers[kind].eachLayer((layer) => layer.bringToFront());
  }

  turn(kind, on) {
    this.layers[kind][on ? "addTo" : "removeFrom"](this.map);
    if (on) return this.look();
    under_way.get(kind)?.abort();
    this.panel.say(kind, "");
  }

  drawClusters({ clusters, words }) {
    this.layers.clusters.clearLayers();
    for (const [count, lat, lon, ...box] of clusters)
      new Cluster([lat, lon], {
        count: count > 1 ? count : 0,
        radius: count > 1 ? Math.min(26, 9 + 2.2 * Math.log2(count)) : 6,
        color: "#fff",
        weight: 1.5,
        fillColor: "#b45309",
        fillOpacity: 0.92,
      })
        .on("click", (event) => this.openCluster(count, [lat, lon], box, event))
        .addTo(this.layers.clusters);
    this.panel.say("clusters", words);
  }

  // closer, until its sightings come apart; where they never do, a list of them
  openCluster(count, at, box, event) {
    if (event) L.DomEvent.stopPropagation(event);
    const bounds = boundsOf(box);
    const far = Math.max(bounds.getNorth() - bounds.getSouth(), bounds.getEast() - bounds.getWest());
    const zoom = this.map.getZoom();
    if (count > 1 && far > 1e-5 && zoom < this.map.getMaxZoom()) {
      const whole = this.map.getBoundsZoom(bounds, false, L.point(120, 120));
      const closer = Math.min(this.map.getMaxZoom(), zoom + 4, Math.max(zoom + 1, whole));
      this.map.setView(bounds.getCenter(), closer, { animate: !still.matches });
      return;
    }
    const box_of = [box[0] - 2e-6, box[1] - 2e-6, box[2] + 2e-6, box[3] + 2e-6].map((side) => side.toFixed(7)).join(",");
    this.popup(at, async (within) => {
      const { sightings } = await ask("sightings", { ...this.filters, box: box_of });
      within.append(...sightings.slice(0, 8).map((one) => sightingOf(one)));
      if (count > 8) within.append(element("p", `and ${count - 8} more`, { className: "muted" }));
    });
  }

  // the trip that drew the road at a place
  nearest(roads, place) {
    const at = this.map.latLngToLayerPoint(place);
    let [found, least] = [null, Infinity];
    for (const [trip, way] of roads) {
      const points = way.map((one) => this.map.latLngToLayerPoint(one));
      for (let to = 1; to < points.length; to++) {
        const away = L.LineUtil.pointToSegmentDistance(at, points[to - 1], points[to]);
        if (away < least) [found, least] = [trip, away];
      }
    }
    return found;
  }

  // those that came by where the road was clicked, as near as a finger tells it; the one that drew it first
  openTrips(number, event) {
    L.DomEvent.stopPropagation(event);
    const at = this.map.latLngToContainerPoint(event.latlng);
    const spot = L.latLngBounds([[-NEAR, -NEAR], [NEAR, NEAR]].map((by) => this.map.containerPointToLatLng(at.add(by))));
    this.popup(event.latlng, async (within) => {
      const { trips } = await ask("trips", { ...this.filters, box: boxOf(spot) });
      const drew = trips.find((one) => one.number === number) ?? { trip: `/trips/${number}`, when: "The trip that drove here last", way: "" };
      within.append(...[drew, ...trips.filter((one) => one.number !== number)].slice(0, 4).map(tripOf));
    });
  }

  popup(at, fill) {
    const within = element("div", "", { className: "found" });
    const popup = L.popup({ maxWidth: 260, minWidth: 170 }).setLatLng(at).setContent(within).openOn(this.map);
    fill(within)
      .then(() => popup.update())
      .catch((error) => error.name !== "AbortError" && within.append(element("p", "That could not be read.")));
  }

  show(lat, lon) {
    this.map.setView([lat, lon], Math.max(this.map.getZoom(), 16), { animate: !still.matches });
  }

  choose(bounds) {
    this.area?.remove();
    this.chosen = bounds;
    this.area = bounds && L.rectangle(bounds, { color: "#1d4ed8", weight: 2, fillOpacity: 0.08, interactive: false }).addTo(this.map);
    this.panel.area(bounds && boxOf(bounds));
  }

  // by the tool; null leaves it as it was
  drawn(bounds) {
    if (bounds) {
      this.choose(bounds);
      this.panel.list();
    }
    this.panel.drawing(false);
  }

  clear() {
    this.choose(null);
    this.panel.list();
  }
}

function sightingOf(one, show) {
  const row = element("div", "", { className: one.sure ? "sighting" : "sighting unsure" });
  row.append(
    element("a", one.text, { href: one.plate, target: "_parent", className: "plate" }),
    element("a", one.when, { href: one.video, target: "_parent", className: "when" }),
  );
  if (show) row.append(button("Show on the map", "◎", () => show(one.lat, one.lon)));
  else row.prepend(element("img", "", { src: one.crop, alt: "", onerror: (event) => event.target.remove() }));
  return row;
}

function tripOf(one) {
  const row = element("div", "", { className: "trip" });
  row.append(element("a", one.when, { href: one.trip, target: "_parent" }), element("span", one.way, { className: "muted" }));
  return row;
}

function button(label, text, pressed) {
  const made = element("button", text, { type: "button", title: label, onclick: pressed });
  made.setAttribute("aria-label", label);
  return made;
}

// what the map shows, in words and links: all of it is reached by keyboard
class Panel {
  constructor(page) {
    this.page = page;
    this.kinds = page.options.plates ? ["clusters", "routes", "heat"] : ["routes", "heat"];
    this.words = Object.fromEntries(this.kinds.map((kind) => [kind, element("p")]));
    this.trips = element("div", "", { className: "list" });
    this.seen = element("div", "", { className: "list" });
    this.more = button("Show older sightings", "Show older", () => this.list(this.next));
    this.more.hidden = true;
    const said = element("div", "", { className: "said" });
    said.setAttribute("role", "status");
    said.append(...Object.values(this.words));
    const panel = element("section", "", { id: "panel" });
    panel.setAttribute("aria-label", "What the map shows");
    panel.append(this.switches(), said, this.tools(), page.replay.root, element("h2", "Trips here"), this.trips);
    if (page.options.plates) panel.append(element("h2", "Sightings here"), this.seen, this.more);
    document.body.append(panel);
    page.map.invalidateSize();
  }

  switches() {
    const names = { clusters: "Sightings", routes: "Routes", heat: "Time driven" };
    const line = element("div", "", { className: "line" });
    for (const kind of this.kinds) {
      const box = element("input", "", { type: "checkbox", name: kind, checked: kind !== "heat", onchange: () => this.page.turn(kind, box.checked) });
      const label = element("label", names[kind]);
      label.prepend(box);
      line.append(label);
    }
    return line;
  }

  tools() {
    const line = element("div", "", { className: "line" });
    this.draw = button("Draw an area on the map", "Draw an area", () => this.drawing(true));
    this.search = element("a", "Search this area", { target: "_parent", className: "button", hidden: true });
    this.undo = button("Clear the area", "Clear", () => this.page.clear());
    this.undo.hidden = true;
    this.how = element("p", "Drag over the map. By keyboard: arrows move it, Shift and arrows size it, Enter takes it, Escape leaves it.", { className: "muted", hidden: true });
    line.append(this.draw, ...(this.page.options.plates ? [this.search] : []), this.undo, this.how);
    return line;
  }

  drawing(on) {
    this.how.hidden = !on;
    if (on) this.page.tool.begin();
    else (this.search.hidden ? this.draw : this.search).focus();
  }

  // the address of the page keeps the area, and so does its form
  area(box) {
    this.search.hidden = this.undo.hidden = !box;
    const { first, last, plate } = this.page.options;
    const given = (pairs) => new URLSearchParams(pairs.filter(([, value]) => value)).toString();
    this.search.href = `/plates?${given([["q", plate], ["first", first], ["last", last], ["box", box]])}`;
    if (window.parent === window) return;
    const address = new URL(parent.location);
    if (box) address.searchParams.set("box", box);
    else address.searchParams.delete("box");
    parent.history.replaceState(parent.history.state, "", address);
    const form = parent.document.querySelector(".map-filters");
    form?.querySelector("[name=box]")?.remove();
    if (box) form?.append(Object.assign(parent.document.createElement("input"), { type: "hidden", name: "box", value: box }));
  }

  say(kind, words) {
    this.words[kind].textContent = words;
  }

  trouble(kind) {
    const names = { routes: "routes", clusters: "sightings", heat: "time driven" };
    this.say(kind, `The ${names[kind]} could not be read.`);
  }

  async list(after = "") {
    const { filters, map, options, chosen } = this.page;
    const wanted = { ...filters, box: boxOf(chosen ?? map.getBounds()) };
    try {
      const { trips, total } = await ask("trips", wanted);
      this.trips.replaceChildren(...trips.map(tripOf));
      if (!total) this.trips.append(element("p", "No trip leads through here.", { className: "muted" }));
      if (total > trips.length) this.trips.append(element("p", `and ${(total - trips.length).toLocaleString("en")} older`, { className: "muted" }));
      if (!options.plates) return;
      const { sightings, next } = await ask("sightings", { ...wanted, after });
      this.seen.replaceChildren(...sightings.map((one) => sightingOf(one, (lat, lon) => this.page.show(lat, lon))));
      if (!sightings.length) this.seen.append(element("p", "No plate was seen here.", { className: "muted" }));
      this.next = next;
      this.more.hidden = !next;
    } catch (error) {
      if (error.name !== "AbortError") this.trouble("clusters");
    }
  }
}

window.dashcamEverything = (map, options) => (window.everything = new Everything(map, options));
