// Small pictures of what lies under the pointer: out of a clip's film-strip; where it has none, what frames there are.
window.dashcamPlayer.Film = class {
  constructor(owner) {
    this.owner = owner;
    this.strips = new Map();
  }

  // the strip's layout, null where the clip has none; asked for once
  strip(clip) {
    if (!this.strips.has(clip.video_id)) {
      const folder = `/media/${clip.video_id}/frames`;
      const asked = fetch(`${folder}/strip.json`).then((answer) => (answer.ok ? answer.json() : null));
      this.strips.set(clip.video_id, asked.then((found) => found && { ...found, source: `${folder}/strip.jpg` }).catch(() => null));
    }
    return this.strips.get(clip.video_id);
  }

  async show(tile, at) {
    this.at = at;
    const clip = this.owner.data.cameras.map((camera) => this.owner.clipAt(camera, at)).find(Boolean);
    if (!clip) return this.fill(tile, "", "Nothing was filmed");
    const strip = await this.strip(clip);
    if (this.at !== at) return; // the pointer has gone on
    if (!strip) return this.frame(tile, clip, at);
    const number = Math.min(strip.tiles - 1, Math.max(0, Math.floor((at - clip.at_s) / strip.every_s)));
    const [column, row] = [number % strip.columns, Math.floor(number / strip.columns)];
    this.fill(tile, strip.source, "");
    Object.assign(tile.style, {
      width: strip.width + "px",
      height: strip.height + "px",
      backgroundSize: `${strip.columns * strip.width}px auto`,
      backgroundPosition: `${-column * strip.width}px ${-row * strip.height}px`,
    });
  }

  frame(tile, clip, at) {
    const seen = this.owner.known(clip)?.plates ?? [];
    const far = (one) => Math.abs(clip.at_s + one.best_s - at);
    const nearest = seen.reduce((best, one) => (!best || far(one) < far(best) ? one : best), null);
    const path = nearest && far(nearest) < 5 ? nearest.frame : clip.poster;
    this.fill(tile, path ? `/media/${clip.video_id}/${path}` : "", path ? "" : "No picture");
    Object.assign(tile.style, { width: "160px", height: "90px", backgroundSize: "cover", backgroundPosition: "center" });
  }

  fill(tile, source, text) {
    tile.style.backgroundImage = source ? `url("${source}")` : "";
    tile.textContent = text;
    tile.dataset.source = source;
  }
};
