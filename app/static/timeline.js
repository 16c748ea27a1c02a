// The player's timeline: what was filmed by which camera, how fast the car was, the plates and what happened, from all
// of a trip down to seconds; wheel, pinch and drag; a film-strip under the pointer.
{
  const { made } = window.dashcamPlayer;
  const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  const TICK_PX = 92;
  const LEAST_S = 2; // the smallest window
  const LANES = 4;
  const MOST_BARS = 150; // more plates than that are ticks until one zooms in
  const BAR_PX = 22, LANE_PX = 26, FILMED_PX = 7, SPEED_PX = 34;
  const DETAILED = 30; // so few clips in the window: their own speeds are fetched
  const EVENTS = { braking: "Hard braking", cornering: "Hard cornering", speeding: "Speeding", stop: "Long stop" };

  class Timeline {
    constructor(owner, data, windowS) {
      this.owner = owner;
      this.data = data;
      this.whole = Math.max(data.length_s, 0.1);
      this.size = Math.min(this.whole, Math.max(LEAST_S, windowS || this.whole));
      this.start = 0;
      this.pointers = new Map();
      this.root = made("div", "timeline");
      this.canvas = made("canvas", "", { role: "slider", tabindex: "0", "aria-label": "Time", "aria-valuemin": "0" });
      this.canvas.setAttribute("aria-valuemax", this.whole.toFixed(1));
      this.strip = made("div", "strip");
      this.ticks = made("div", "ticks muted small num", { "aria-hidden": "true" });
      this.cursor = made("i", "cursor", { "aria-hidden": "true" });
      this.cursor.append(made("b", "num"));
      this.preview = made("div", "preview", { "aria-hidden": "true", hidden: "" });
      this.preview.append(made("div", "tile"), made("span", "num"));
      this.area = made("div", "area");
      this.area.append(this.canvas, this.strip, this.cursor);
      this.root.append(this.preview, this.area, this.ticks);
      this.lanes();
      this.listen();
      this.sized = new ResizeObserver(() => this.paint());
      this.sized.observe(this.root);
      this.themed = new MutationObserver(() => this.paint());
      this.themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    }

    leave() {
      this.sized.disconnect();
      this.themed.disconnect();
    }

    // the lowest free lane for each plate, so that bars do not lie over each other while there are lanes
    lanes() {
      const free = [];
      for (const one of this.data.plates) {
        const end = Math.max(one.last_s, one.first_s + 0.012 * Math.min(this.whole, 600));
        let lane = free.findIndex((from) => from <= one.first_s);
        if (lane < 0) lane = free.length < LANES ? free.length : free.indexOf(Math.min(...free));
        free[lane] = end;
        one.lane = lane;
      }
      this.laneCount = Math.max(1, free.length);
    }

    listen() {
      const area = this.area;
      area.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
      area.addEventListener("pointerdown", (event) => this.pressed(event));
      area.addEventListener("pointermove", (event) => this.moved(event));
      for (const name of ["pointerup", "pointercancel"]) area.addEventListener(name, (event) => this.let(event));
      area.addEventListener("pointerleave", () => this.hidePreview());
      this.strip.addEventListener("click", (event) => {
        const bar = event.target.closest("button");
        if (bar) this.owner.land(Number(bar.dataset.at));
      });
    }

    secondAt(x) {
      const box = this.area.getBoundingClientRect();
      return this.start + ((x - box.left) / box.width) * this.size;
    }

    wheeled(event) {
      event.preventDefault();
      const byPixels = event.deltaMode ? 30 : 1;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const way = (event.deltaX || event.deltaY) * byPixels;
        return this.look(this.start + (way / this.area.clientWidth) * this.size);
      }
      this.zoom(Math.exp(event.deltaY * byPixels * 0.002), this.secondAt(event.clientX));
    }

    pressed(event) {
      if (event.button || event.target.closest("button")) return;
      hold(this.area, event);
      this.pointers.set(event.pointerId, event.clientX);
      if (this.pointers.size === 1) this.owner.scrub(this.secondAt(event.clientX));
      this.pinch = null;
    }

    moved(event) {
      if (this.pointers.has(event.pointerId)) {
        this.pointers.set(event.pointerId, event.clientX);
        if (this.pointers.size === 2) this.pinched();
        else this.owner.scrub(this.secondAt(event.clientX));
      }
      if (this.pointers.size < 2) this.showPreview(event.clientX);
    }

    let(event) {
      if (!this.pointers.delete(event.pointerId)) return;
      this.pinch = null;
      if (!this.pointers.size) this.owner.scrubbed();
      if (event.pointerType !== "mouse") this.hidePreview();
    }

    pinched() {
      const [a, b] = [...this.pointers.values()];
      const apart = Math.max(10, Math.abs(a - b)), middle = this.secondAt((a + b) / 2);
      if (this.pinch) this.zoom(this.pinch.apart / apart, middle, this.pinch.middle - middle);
      this.pinch = { apart, middle: this.secondAt((a + b) / 2) };
    }

    // a window `by` times as large, with the same second under the same place
    zoom(by, around = this.owner.t, move = 0) {
      const size = Math.min(this.whole, Math.max(Math.min(LEAST_S, this.whole), this.size * by));
      const place = (around - this.start) / this.size;
      this.size = size;
      this.look(around - place * size + move);
      this.owner.noteAddress();
    }

    look(start) {
      this.start = Math.max(0, Math.min(start, this.whole - this.size));
      this.paint();
    }

    // the window goes along with what plays
    follow(t, middle = false) {
      if (middle || t < this.start || t > this.start + this.size * 0.96)
        this.look(middle ? t - this.size / 2 : t - this.size * 0.06);
      else this.point(t);
    }

    point(t) {
      const at = (100 * (t - this.start)) / this.size;
      this.cursor.style.left = Math.max(0, Math.min(100, at)) + "%";
      this.cursor.hidden = at < 0 || at > 100;
      this.cursor.classList.toggle("right", at > 80);
      this.cursor.firstChild.textContent = this.owner.clock(t, true);
      this.canvas.setAttribute("aria-valuenow", t.toFixed(1));
      this.canvas.setAttribute("aria-valuetext", this.owner.clock(t, true));
      for (const bar of this.strip.children)
        bar.classList.toggle("now", t >= bar.dataset.first - 0.1 && t <= Number(bar.dataset.last) + 0.1);
    }

    shown(items, first, last) {
      const end = this.start + this.size;
      return items.filter((one) => last(one) >= this.start && first(one) <= end);
    }

    paint() {
      const wide = this.area.clientWidth;
      if (!wide) return;
      const speeds = this.data.clips.some((clip) => clip.mean_mps !== null);
      this.rows = { filmed: 4, speed: 8 + this.data.cameras.length * (FILMED_PX + 2) };
      this.rows.plates = this.rows.speed + (speeds ? SPEED_PX + 4 : 0);
      const high = this.rows.plates + this.laneCount * LANE_PX + 4;
      this.area.style.height = high + "px";
      const dense = window.devicePixelRatio || 1;
      this.canvas.width = wide * dense;
      this.canvas.height = high * dense;
      const pen = this.canvas.getContext("2d");
      pen.scale(dense, dense);
      const style = getComputedStyle(this.root);
      this.colour = (name) => style.getPropertyValue(name).trim();
      this.x = (t) => ((t - this.start) / this.size) * wide;
      this.paintFilmed(pen, high);
      if (speeds) this.paintSpeed(pen);
      this.placeBars(pen);
      this.placeTicks(pen, wide, high);
      this.point(this.owner.t);
    }

    paintFilmed(pen, high) {
      const clips = this.shown(this.data.clips, (clip) => clip.at_s, (clip) => clip.at_s + clip.length_s);
      pen.fillStyle = this.colour("--shade");
      for (const [from, to] of this.owner.footage.gaps) {
        const left = this.x(from), right = this.x(to);
        if (right < 0 || left > this.canvas.clientWidth) continue;
        pen.fillRect(left, 0, Math.max(1, right - left), high);
      }
      for (const clip of clips) {
        const row = this.data.cameras.indexOf(clip.camera);
        pen.fillStyle = this.colour(clip.playable ? "--accent" : "--muted");
        pen.globalAlpha = clip.playable ? 0.75 : 0.35;
        const left = this.x(clip.at_s), right = this.x(clip.at_s + clip.length_s);
        pen.fillRect(left, this.rows.filmed + row * (FILMED_PX + 2), Math.max(1, right - left - (right - left > 6 ? 1 : 0)), FILMED_PX);
      }
      pen.globalAlpha = 1;
    }

    // how fast the car was: each clip's mean, and its own fixes where few clips are in the window
    paintSpeed(pen) {
      const lead = this.data.cameras.find((camera) => this.data.clips.some((clip) => clip.camera === camera && clip.mean_mps !== null));
      const clips = this.shown(this.data.clips, (clip) => clip.at_s, (clip) => clip.at_s + clip.length_s).filter((clip) => clip.camera === lead);
      const few = clips.length <= DETAILED;
      const base = this.rows.speed + SPEED_PX;
      const most = Math.max(60, ...this.data.clips.map((clip) => (clip.mean_mps ?? 0) * 3.6 * 1.25));
      const y = (mps) => base - Math.min(1, (mps * 3.6) / most) * (SPEED_PX - 2);
      pen.beginPath();
      for (const clip of clips) {
        const known = few ? this.owner.inside(clip)?.speeds : this.owner.known(clip)?.speeds;
        const points = known?.length ? known : clip.mean_mps === null ? [] : [[0, clip.mean_mps], [clip.length_s, clip.mean_mps]];
        points.forEach(([t, mps], at) => pen[at ? "lineTo" : "moveTo"](this.x(clip.at_s + t), y(mps)));
      }
      pen.strokeStyle = this.colour("--muted");
      pen.lineWidth = 1.5;
      pen.stroke();
    }

    placeBars(pen) {
      const plates = this.shown(this.data.plates, (one) => one.first_s, (one) => one.last_s);
      const events = this.shown(this.data.events, (one) => one.at_s, (one) => one.at_s).slice(0, MOST_BARS);
      const wanted = plates.length <= MOST_BARS ? plates : [];
      const bars = [...wanted.map((one) => this.bar(one)), ...events.map((one) => this.mark(one))];
      const held = document.activeElement?.dataset?.key;
      this.strip.replaceChildren(...bars);
      if (held) bars.find((bar) => bar.dataset.key === held)?.focus({ preventScroll: true });
      pen.fillStyle = this.colour("--accent");
      if (!wanted.length)
        for (const one of plates) pen.fillRect(this.x(one.first_s), this.rows.plates + 2 + one.lane * LANE_PX, 2, BAR_PX);
    }

    bar(one) {
      const at = this.owner.clock(one.best_s, true);
      const bar = made("button", "bar" + (one.confirmed ? "" : " unsure"), { type: "button", title: `${one.text}, ${at}`, "aria-label": `Plate ${one.text} at ${at}` });
      bar.textContent = one.text;
      Object.assign(bar.dataset, { at: one.best_s, first: one.first_s, last: one.last_s, key: "p" + one.sighting_id });
      const left = Math.min((100 * (one.first_s - this.start)) / this.size, 98.5);
      Object.assign(bar.style, { left: left + "%", top: this.rows.plates + one.lane * LANE_PX + "px", width: (100 * (one.last_s - one.first_s)) / this.size + "%" });
      return bar;
    }

    mark(one) {
      const text = `${EVENTS[one.kind] ?? one.kind} at ${this.owner.clock(one.at_s, true)}`;
      const mark = made("button", `mark ${one.kind}`, { type: "button", title: text, "aria-label": text });
      Object.assign(mark.dataset, { at: one.at_s, first: one.at_s, last: one.at_s, key: one.kind + one.at_s });
      Object.assign(mark.style, { left: (100 * (one.at_s - this.start)) / this.size + "%", top: this.rows.filmed - 4 + "px" });
      return mark;
    }

    placeTicks(pen, wide, high) {
      const step = STEPS.find((seconds) => (seconds / this.size) * wide >= TICK_PX) ?? STEPS.at(-1);
      const zero = this.data.clock_s ?? 0;
      const ticks = [];
      pen.fillStyle = this.colour("--line");
      for (let at = Math.ceil((zero + this.start) / step) * step - zero; at <= this.start + this.size; at += step) {
        const tick = made("span", "tick");
        tick.textContent = this.owner.clock(at, step < 1);
        const place = (at - this.start) / this.size;
        tick.style.left = 100 * place + "%";
        if (place * wide < 36) tick.classList.add("first");
        if ((1 - place) * wide < 36) tick.classList.add("last");
        ticks.push(tick);
        pen.fillRect(this.x(at), high - 4, 1, 4);
      }
      this.ticks.replaceChildren(...ticks);
    }

    showPreview(x) {
      const t = Math.max(0, Math.min(this.whole, this.secondAt(x)));
      const box = this.area.getBoundingClientRect();
      const half = 84;
      this.preview.hidden = false;
      this.preview.style.left = Math.max(half, Math.min(box.width - half, x - box.left)) + "px";
      this.preview.lastChild.textContent = this.owner.clock(t, this.size < 600);
      this.owner.film.show(this.preview.firstChild, t);
    }

    hidePreview() {
      if (!this.pointers.size) this.preview.hidden = true;
    }
  }

  function hold(area, event) {
    area.setPointerCapture(event.pointerId);
    event.preventDefault();
    area.querySelector("canvas").focus({ preventScroll: true });
  }

  window.dashcamPlayer.Timeline = Timeline;
}
