// An area drawn on the map: dragged with mouse or finger, or moved and sized with the arrow keys.
import { leaflet as L } from "leaflet";

const STYLE = { color: "#1d4ed8", weight: 2, fillOpacity: 0.08, interactive: false };
const STEP = 0.1; // of the rectangle, a key press

export class AreaTool {
  constructor(map, done) {
    this.map = map;
    this.done = done;
    this.box = map.getContainer();
    this.down = this.down.bind(this);
    this.key = this.key.bind(this);
  }

  // begins with the middle of the window, which the keys start from
  begin() {
    if (this.sketch) return;
    this.sketch = L.rectangle(this.map.getBounds().pad(-0.25), { ...STYLE, dashArray: "6 4" }).addTo(this.map);
    for (const way of ["dragging", "keyboard", "boxZoom", "doubleClickZoom"]) this.map[way].disable();
    this.box.classList.add("drawing");
    this.box.addEventListener("pointerdown", this.down);
    this.box.addEventListener("keydown", this.key, true);
    this.box.focus();
  }

  end(bounds) {
    this.sketch?.remove();
    this.sketch = null;
    this.box.classList.remove("drawing");
    this.box.removeEventListener("pointerdown", this.down);
    this.box.removeEventListener("keydown", this.key, true);
    for (const way of ["dragging", "keyboard", "boxZoom", "doubleClickZoom"]) this.map[way].enable();
    this.done(bounds);
  }

  down(event) {
    if (event.target.closest(".leaflet-control") || event.button > 0) return;
    event.preventDefault();
    this.box.setPointerCapture(event.pointerId);
    const from = this.map.mouseEventToLatLng(event);
    const move = (to) => this.sketch?.setBounds(L.latLngBounds(from, this.map.mouseEventToLatLng(to)));
    const up = (to) => {
      this.box.removeEventListener("pointermove", move);
      this.box.removeEventListener("pointerup", up);
      this.box.removeEventListener("pointercancel", up);
      const far = this.map.mouseEventToContainerPoint(to).distanceTo(this.map.latLngToContainerPoint(from));
      if (far > 6) this.end(L.latLngBounds(from, this.map.mouseEventToLatLng(to)));
    };
    this.box.addEventListener("pointermove", move);
    this.box.addEventListener("pointerup", up);
    this.box.addEventListener("pointercancel", up);
  }

  key(event) {
    const ways = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === "Enter") this.end(this.sketch.getBounds());
    else if (event.key === "Escape") this.end(null);
    else if (ways[event.key]) this.arrow(ways[event.key], event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // moves the rectangle; with Shift its north-east corner alone
  arrow([up, right], size) {
    const bounds = this.sketch.getBounds();
    const [lat, lon] = [up * STEP * (bounds.getNorth() - bounds.getSouth()), right * STEP * (bounds.getEast() - bounds.getWest())];
    const moved = (corner) => [corner.lat + lat, corner.lng + lon];
    this.sketch.setBounds([size ? bounds.getSouthWest() : moved(bounds.getSouthWest()), moved(bounds.getNorthEast())]);
  }
}
