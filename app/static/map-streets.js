// Streets under a map, from the household's own file: vector tiles are drawn here, in the colours of day or night.
import { leaflet as L } from "leaflet";
import { layersOf } from "map-vector";

const SIZE = 512; // pixels of a tile: a map's zoom is one more than that of its tiles
const KEPT = 48; // tiles that were read
const PANE = 151; // above the ground, below the names of towns

// The words of the three schemes that such files are made by: Protomaps, OpenMapTiles, Shortbread.
const GREEN = new Set("park forest wood grass grassland meadow nature_reserve cemetery garden golf_course village_green recreation_ground allotments scrub orchard vineyard".split(" "));
const WATER = new Set("lake ocean sea river water pond basin reservoir riverbank dock swimming_pool".split(" "));
const SUBURBS = new Set("suburb neighbourhood quarter hamlet isolated_dwelling".split(" "));
const ROADS = { highway: 4, motorway: 4, trunk: 4, major_road: 3, primary: 3, secondary: 3, tertiary: 2, medium_road: 2, minor_road: 1,
  minor: 1, residential: 1, unclassified: 1, living_street: 1, pedestrian: 1, service: 0.5, track: 0.3, path: 0.3, footway: 0.3, cycleway: 0.3 };
const WIDTH = { 4: 6, 3: 5, 2: 4, 1: 3, 0.5: 1.5, 0.3: 0.8 }; // pixels at zoom 15
const AREAS = [ // from below to above: layers, colour, which of their features
  [["earth", "land"], "--land", (kind) => !GREEN.has(kind) && kind !== "cliff"],
  [["landcover", "landuse", "park", "land"], "--green", (kind) => GREEN.has(kind)],
  [["water", "ocean", "water_polygons"], "--sea", () => true],
  [["landuse", "landcover"], "--sea", (kind) => WATER.has(kind)],
  [["buildings", "building"], "--building", () => true],
];
const STREAMS = ["water", "waterway", "water_lines"];
const STREETS = ["roads", "transportation", "streets"];
const NAMED = ["roads", "transportation_name", "street_labels"];
const PLACES = ["places", "place", "place_labels"];
const LAYERS = new Set([...AREAS.flatMap(([names]) => names), ...STREAMS, ...STREETS, ...NAMED, ...PLACES]);
const kindOf = ({ tags }) => tags.kind_detail === "pedestrian" ? "pedestrian" : (tags.kind ?? tags.class ?? "");
const rankOf = (feature) => ROADS[kindOf(feature)] ?? ROADS[feature.tags.kind_detail] ?? 0;

export function addStreets(map, { url, vector, zooms: [lowest, deepest], bounds }) {
  const [south, west, north, east] = bounds;
  const pane = map.createPane("streets");
  Object.assign(pane.style, { zIndex: PANE, pointerEvents: "none" });
  const common = { pane: "streets", bounds: [[south, west], [north, east]], maxZoom: 19 };
  if (!vector) return L.tileLayer(url, { ...common, minZoom: lowest, maxNativeZoom: deepest }).addTo(map);
  const layer = new Drawn({ ...common, url, deepest, tileSize: SIZE, minZoom: lowest + 1 }).addTo(map);
  new MutationObserver(() => layer.redraw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return layer;
}

const Drawn = L.GridLayer.extend({
  createTile({ x, y, z }, done) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.round(SIZE * devicePixelRatio);
    // below the deepest tiles there are, a part of one of those is drawn
    const below = Math.max(0, z - 1 - this.options.deepest);
    const part = 2 ** below;
    const address = L.Util.template(this.options.url, { z: z - 1 - below, x: Math.floor(x / part), y: Math.floor(y / part) });
    this.read(address).then(
      (layers) => {
        if (layers) new Picture(canvas, layers, z, part, [(x % part) * SIZE, (y % part) * SIZE]).draw();
        done(null, canvas);
      },
      (error) => done(error, canvas),
    );
    return canvas;
  },

  read(address) {
    this.tiles ??= new Map();
    if (!this.tiles.has(address)) {
      const coming = fetched(address);
      coming.catch(() => this.tiles.delete(address));
      this.tiles.set(address, coming);
      if (this.tiles.size > KEPT) this.tiles.delete(this.tiles.keys().next().value);
    }
    return this.tiles.get(address);
  },
});

async function fetched(address) {
  const got = await fetch(address);
  if (!got.ok) throw new Error(`${address}: ${got.status}`);
  return got.status === 204 ? null : layersOf(new Uint8Array(await got.arrayBuffer()), LAYERS);
}

class Picture {
  // of the part of a tile that begins `from` pixels from its corner when the whole is `part` times SIZE
  constructor(canvas, layers, zoom, part, from) {
    Object.assign(this, { layers, zoom, part, from, pen: canvas.getContext("2d"), ratio: canvas.width / SIZE });
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(name).trim();
  }

  draw() {
    for (const [names, colour, wanted] of AREAS)
      this.each(names, 3, (feature) => {
        if (!wanted(kindOf(feature))) return;
        this.pen.fillStyle = this.colour(colour);
        this.pen.fill(this.path, "evenodd");
      });
    this.lines(STREAMS, "--sea", () => (this.zoom < 12 ? 0.8 : 1.6));
    const roads = (wider) => (feature) => this.widthOf(rankOf(feature)) + wider;
    if (this.zoom >= 14) this.lines(STREETS, "--road-edge", roads(1.6));
    for (const rank of [0.3, 0.5, 1, 2, 3, 4])
      this.lines(STREETS, rank > 2 ? "--main-road" : "--road", (feature) => (rankOf(feature) === rank ? this.widthOf(rank) : 0));
    this.lines(STREETS, "--rail", (feature) => (["rail", "transit", "light_rail"].includes(kindOf(feature)) && this.zoom > 12 ? 1 : 0));
    this.names();
  }

  widthOf(rank) {
    const width = (WIDTH[rank] ?? 0) * 1.5 ** (this.zoom - 15);
    return width && Math.max(width, rank > 2 ? 1 : 0.5);
  }

  // every feature of that type, with its path and with the pen so that the tile's own units are drawn
  *of(names, type) {
    for (const layer of names.map((name) => this.layers.get(name)).filter(Boolean)) {
      const scale = (SIZE * this.part) / layer.extent;
      for (const feature of layer.features) if (feature.type === type) yield [feature, scale];
    }
  }

  each(names, type, act) {
    for (const [feature, scale] of this.of(names, type)) {
      const [dx, dy] = this.from.map((pixels) => -pixels * this.ratio);
      this.pen.setTransform(this.ratio * scale, 0, 0, this.ratio * scale, dx, dy);
      this.path = feature.path ??= pathOf(feature.parts);
      act(feature, scale);
    }
  }

  lines(names, colour, widthOf) {
    Object.assign(this.pen, { strokeStyle: this.colour(colour), lineJoin: "round", lineCap: "round" });
    this.each(names, 2, (feature, scale) => {
      const width = widthOf(feature);
      if (width < 0.4) return;
      this.pen.lineWidth = width / scale;
      this.pen.stroke(this.path);
    });
  }

  names() {
    this.pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    Object.assign(this.pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 3 });
    Object.assign(this.pen, { fillStyle: this.colour("--text"), strokeStyle: this.colour("--land") });
    this.taken = [];
    this.pen.font = "600 12px Roboto, system-ui, sans-serif";
    if (this.zoom >= 13)
      for (const [feature, scale] of this.of(PLACES, 1))
        if (SUBURBS.has(feature.tags.kind_detail ?? kindOf(feature))) this.place(feature, scale);
    this.pen.font = "11px Roboto, system-ui, sans-serif";
    const named = [...this.of(NAMED, 2)].filter(([{ tags }]) => tags.name || tags.ref).sort(([a], [b]) => rankOf(b) - rankOf(a));
    for (const [feature, scale] of named) if (this.zoom >= (rankOf(feature) > 2 ? 13 : 15)) this.road(feature, scale);
  }

  place({ tags, parts }, scale) {
    if (tags.name) this.write(String(tags.name), parts[0][0] * scale - this.from[0], parts[0][1] * scale - this.from[1], 0);
  }

  road({ tags, parts }, scale) {
    const name = String(tags.name ?? tags.ref);
    const wanted = this.pen.measureText(name).width + 12;
    for (const part of parts)
      for (const [x, y, angle] of straights(part.map((units, at) => units * scale - this.from[at % 2]), wanted))
        if (this.write(name, x, y, angle)) return;
  }

  // whether there was room for it: no name over another, none over the tile's edge
  write(name, x, y, angle) {
    const half = this.pen.measureText(name).width / 2 + 2;
    const [wide, high] = [half * Math.abs(Math.cos(angle)) + 8, half * Math.abs(Math.sin(angle)) + 8];
    if (x < wide || y < high || x > SIZE - wide || y > SIZE - high) return false;
    if (this.taken.some((one) => Math.abs(one.x - x) < one.wide + wide && Math.abs(one.y - y) < one.high + high)) return false;
    if (this.taken.some((one) => one.name === name && Math.hypot(one.x - x, one.y - y) < 200)) return false;
    this.taken.push({ x, y, wide, high, name });
    this.pen.setTransform(this.ratio, 0, 0, this.ratio, x * this.ratio, y * this.ratio);
    this.pen.rotate(angle);
    this.pen.strokeText(name, 0, 0);
    this.pen.fillText(name, 0, 0);
    this.pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    return true;
  }
}

function pathOf(parts) {
  const path = new Path2D();
  for (const part of parts) {
    path.moveTo(part[0], part[1]);
    for (let at = 2; at < part.length; at += 2) path.lineTo(part[at], part[at + 1]);
  }
  return path;
}

// the places along a line (x, y, x, y, …) where it runs straight for that long, and how much a text there is turned
function* straights(line, length) {
  let first = 0, along = 0;
  for (let last = 2; last < line.length; last += 2) {
    along += Math.hypot(line[last] - line[last - 2], line[last + 1] - line[last - 1]);
    if (along < length) continue;
    const [dx, dy] = [line[last] - line[first], line[last + 1] - line[first + 1]];
    const times = Math.floor(along / length);
    if (Math.hypot(dx, dy) > 0.985 * along)
      for (let time = 0; time < times; time++) {
        const share = (time + 0.5) / times;
        yield [line[first] + share * dx, line[first + 1] + share * dy, Math.atan(dy / (dx || 1e-9))];
      }
    [first, along] = [last, 0];
  }
}
