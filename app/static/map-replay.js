// A day's driving as it went: the dot, the way behind it, and each plate at its second. Times without driving are skipped.
import { leaflet as L } from "leaflet";

const SPEEDS = [1, 10, 60, 300];
const LATEST = 5;

function element(tag, text, attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  if (text) made.textContent = text;
  return made;
}

export class Replay {
  // ``ask`` gives a day's driving, ``row`` draws a sighting for the list
  constructor(map, ask, row) {
    Object.assign(this, { map, ask, row, at: 0, playing: false });
    this.layer = L.layerGroup();
    this.way = L.polyline([], { color: "#1d4ed8", weight: 4, interactive: false });
    this.dot = L.circleMarker([0, 0], { radius: 8, color: "#fff", weight: 3, fillColor: "#111827", fillOpacity: 1, interactive: false });
    this.build();
  }

  build() {
    this.day = element("input", "", { type: "date", onchange: () => this.load(this.day.value) });
    this.day.setAttribute("aria-label", "Day");
    this.button = element("button", "Play", { type: "button", onclick: () => this.play(!this.playing) });
    this.slider = element("input", "", { type: "range", min: 0, max: 0, step: 1, value: 0, oninput: () => this.go(Number(this.slider.value)) });
    this.slider.setAttribute("aria-label", "Time of day");
    this.speed = element("select");
    this.speed.setAttribute("aria-label", "Speed");
    for (const times of SPEEDS) this.speed.append(element("option", `${times}×`, { value: times, selected: times === 60 }));
    this.told = element("output", "", { className: "time" });
    this.words = element("p", "", { className: "muted" });
    this.seen = element("div", "", { className: "list" });
    const line = element("div", "", { className: "line" });
    line.append(this.button, this.speed, this.told);
    this.root = element("details", "", { id: "replay", ontoggle: () => this.toggle() });
    this.root.append(element("summary", "Replay a day"), this.day, line, this.slider, this.words, this.seen);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target.matches("button, summary, select")) return;
      event.preventDefault();
      this.play(!this.playing);
    });
  }

  toggle() {
    if (!this.root.open) {
      this.play(false);
      this.layer.remove();
    } else if (this.pieces) this.layer.addTo(this.map);
    else this.load("");
  }

  async load(day) {
    this.play(false);
    const found = await this.ask({ day }).catch(() => ({ pieces: [], sightings: [], words: "That day could not be read.", day }));
    this.day.value = found.day;
    this.offset = found.offset ?? 0;
    this.words.textContent = found.pieces.length || !found.day ? found.words : "Nothing was driven that day.";
    // one time line of all pieces: [begins at, ends at, fixes]
    let total = 0;
    this.pieces = found.pieces.map((fixes) => [total, (total += fixes.at(-1)[0] - fixes[0][0]), fixes]);
    this.sightings = found.sightings.map((one) => ({ ...one, at: this.onLine(one.at) })).sort((a, b) => a.at - b.at);
    this.slider.max = Math.ceil(total);
    this.layer.clearLayers().addTo(this.map);
    this.shown = 0;
    if (!this.pieces.length) return this.seen.replaceChildren();
    this.map.fitBounds(L.latLngBounds(this.pieces.flatMap(([, , fixes]) => fixes.map((fix) => [fix[1], fix[2]]))), { padding: [30, 30], animate: false });
    this.layer.addLayer(this.way).addLayer(this.dot);
    this.go(0);
  }

  onLine(utc) {
    for (const [from, until, fixes] of this.pieces) {
      if (utc < fixes[0][0]) return from;
      if (utc <= fixes.at(-1)[0]) return Math.min(until, from + utc - fixes[0][0]);
    }
    return this.pieces.at(-1)?.[1] ?? 0;
  }

  play(on) {
    if (on && !this.pieces?.length) return;
    this.playing = on;
    this.button.textContent = on ? "Pause" : "Play";
    if (!on) return;
    if (this.at >= Number(this.slider.max)) this.go(0);
    let before;
    const step = (now) => {
      if (!this.playing) return;
      if (before !== undefined) this.go(this.at + ((now - before) / 1000) * Number(this.speed.value));
      before = now;
      if (this.at >= Number(this.slider.max)) this.play(false);
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  go(at) {
    this.at = Math.min(at, Number(this.slider.max));
    this.slider.value = this.at;
    const [from, , fixes] = this.pieces.findLast((piece) => piece[0] <= this.at) ?? this.pieces[0];
    const utc = fixes[0][0] + this.at - from;
    const next = Math.max(1, fixes.findIndex((fix) => fix[0] >= utc));
    const [a, b] = [fixes[next - 1], fixes[next]];
    const part = Math.min(1, Math.max(0, (utc - a[0]) / (b[0] - a[0] || 1)));
    const place = [a[1] + part * (b[1] - a[1]), a[2] + part * (b[2] - a[2])];
    this.dot.setLatLng(place);
    const gone = this.pieces.filter((piece) => piece[0] < from).map((piece) => piece[2].map((fix) => [fix[1], fix[2]]));
    this.way.setLatLngs([...gone, [...fixes.slice(0, next).map((fix) => [fix[1], fix[2]]), place]]);
    if (!this.map.getBounds().contains(place)) this.map.panTo(place, { animate: false });
    this.told.textContent = `${new Date((utc + this.offset) * 1000).toISOString().slice(11, 19)}${a[3] === null ? "" : `, ${a[3]} km/h`}`;
    this.slider.setAttribute("aria-valuetext", this.told.textContent);
    this.tell();
  }

  tell() {
    const shown = this.sightings.filter((one) => one.at <= this.at).length;
    if (shown === this.shown && shown) return;
    if (shown < this.shown) this.layer.eachLayer((layer) => layer.seen && layer.remove()), (this.shown = 0);
    for (const one of this.sightings.slice(this.shown, shown)) {
      const pin = L.circleMarker([one.lat, one.lon], { radius: 5, color: "#fff", weight: 1.5, fillColor: "#b45309", fillOpacity: 1 });
      pin.seen = true;
      pin.bindTooltip(element("span", one.text, { className: "plate" }), { direction: "top" }).addTo(this.layer);
    }
    this.shown = shown;
    this.seen.replaceChildren(...this.sightings.slice(0, shown).slice(-LATEST).reverse().map((one) => this.row(one)));
  }
}
