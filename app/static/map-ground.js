// The ground under a map: land, borders and towns from our own server, in cells of the world. It takes no clicks.
import { leaflet as L } from "leaflet";

const SIZES = [[3, 60], [6, 20], [Infinity, 5]]; // up to a zoom, degrees of a cell
const UNITS = 1000; // of a line's numbers, per degree
const PANE = 150; // below the tiles' 200, so below everything; streets lie between land and names
const APART = 90; // pixels across, between the names of two towns; a quarter of that up and down

const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
const wrapped = (value, around) => ((value % around) + around) % around;

function places(numbers) {
  let [lat, lon] = [0, 0];
  const found = [];
  for (let at = 0; at < numbers.length; at += 2) found.push([(lat += numbers[at]) / UNITS, (lon += numbers[at + 1]) / UNITS]);
  return found;
}

export class Ground {
  constructor(map) {
    this.map = map;
    this.cells = new Map(); // by address: what the server said of it
    for (const [name, above] of [["ground", 0], ["towns", 2]]) {
      const pane = map.createPane(name);
      Object.assign(pane.style, { zIndex: PANE + above, pointerEvents: "none" });
      pane.setAttribute("aria-hidden", "true");
    }
    this.canvas = L.canvas({ pane: "ground", padding: 0.3 });
    this.shapes = L.layerGroup().addTo(map);
    this.names = L.layerGroup().addTo(map);
    map.on("moveend", () => this.look());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.look();
  }

  async look() {
    const wanted = this.window();
    const key = wanted.map(([address, turn]) => `${address}+${turn}`).join();
    this.wanted = wanted;
    await Promise.all(wanted.map(([address]) => this.fetched(address)));
    if (this.wanted !== wanted) return;
    if (key !== this.drawn) this.draw();
    this.drawn = key;
    this.nameTowns();
  }

  // the cells under the window: each one's address, and by how many degrees it is turned around the world
  window() {
    const bounds = this.map.getBounds();
    const size = SIZES.find(([zoom]) => this.map.getZoom() <= zoom)[1];
    const at = (degrees, from) => Math.floor((degrees - from) / size);
    const rows = range(Math.max(0, at(bounds.getSouth(), -90)), Math.min(180 / size - 1, at(bounds.getNorth(), -90)));
    const cols = range(at(bounds.getWest(), -180), at(bounds.getEast(), -180));
    const around = 360 / size;
    return rows.flatMap((row) => cols.map((col) => [`${size}/${row}/${wrapped(col, around)}`, Math.floor(col / around) * 360]));
  }

  // what cannot be had stays away until the map moves again
  async fetched(address) {
    if (this.cells.has(address)) return;
    const got = await fetch(`/maps/ground/${address}`).catch(() => null);
    if (got?.ok) this.cells.set(address, await got.json());
  }

  // each wanted cell that has come, and its turn around the world
  *shown() {
    for (const [address, turn] of this.wanted ?? []) {
      const cell = this.cells.get(address);
      if (cell) yield [cell, turn];
    }
  }

  draw() {
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const common = { renderer: this.canvas, pane: "ground", interactive: false };
    const land = { ...common, stroke: false, fillColor: colour("--land"), fillOpacity: 1, smoothFactor: 0.5 };
    const border = { ...common, color: colour("--border"), weight: 1.2, opacity: 1, smoothFactor: 0.5 };
    this.shapes.clearLayers();
    const turned = (turn) => (numbers) => places(numbers).map(([lat, lon]) => [lat, lon + turn]);
    const shown = [...this.shown()];
    for (const [cell, turn] of shown)
      for (const rings of cell.land) L.polygon(rings.map(turned(turn)), land).addTo(this.shapes);
    for (const [cell, turn] of shown) L.polyline(cell.borders.map(turned(turn)), border).addTo(this.shapes);
  }

  // the largest first, and no name over another
  nameTowns() {
    this.names.clearLayers();
    const size = this.map.getSize(), taken = [];
    const towns = [...this.shown()].flatMap(([cell, turn]) => cell.towns.map(([name, lat, lon, people]) => [name, [lat, lon + turn], people]));
    for (const [name, place] of towns.sort((a, b) => b[2] - a[2])) {
      const { x, y } = this.map.latLngToContainerPoint(place);
      if (x < 0 || y < 0 || x > size.x || y > size.y) continue;
      if (taken.some((one) => Math.abs(one.x - x) < APART && Math.abs(one.y - y) < APART / 4)) continue;
      taken.push({ x, y });
      const text = Object.assign(document.createElement("span"), { textContent: name });
      const icon = L.divIcon({ className: "town", html: text, iconSize: [0, 0] });
      L.marker(place, { icon, pane: "towns", interactive: false, keyboard: false }).addTo(this.names);
      if (taken.length >= 40) return;
    }
  }
}
