// One camera's picture in the player: the clip that plays, the next one ready behind it, and the boxes of the plates.
{
  // Between two reads less than GAP apart a box is interpolated. Where a plate is in sight and was not read, before the
  // first read and after the last, the box goes on as it went, and is dashed.
  const GAP = 1.5;
  const NEAR = 0.12; // s: a read shows this long before and after its frame
  const INTO_FRAME = 0.002; // s: lands inside the wanted frame, not on the edge to the one before
  const OFF = 0.3; // s: further out of step a picture jumps, below it runs a little faster or slower
  const IN_STEP = 0.012;
  const AGAIN_MS = 2000; // so long after nobody has answered

  function made(tag, className, attributes = {}) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  class Screen {
    constructor(camera, label, owner) {
      this.owner = owner;
      this.camera = camera;
      this.label = label;
      this.root = made("div", "screen");
      this.name = made("span", "camera");
      this.name.textContent = label;
      this.nothing = made("p", "nothing");
      this.boxes = made("div", "boxes", { "aria-hidden": "true" });
      this.drawn = new Map();
      this.root.append(this.boxes, this.name, this.nothing);
      this.clip = null;
      this.video = this.addVideo();
      this.spare = null;
    }

    addVideo() {
      const video = made("video", "", { playsinline: "", preload: "auto" });
      video.disableRemotePlayback = true;
      video.addEventListener("loadedmetadata", () => this.settle(video));
      video.addEventListener("error", () => video === this.video && video.src && this.failed());
      for (const name of ["seeked", "loadeddata"])
        video.addEventListener(name, () => video === this.video && this.owner.looked());
      video.requestVideoFrameCallback?.(function presented(_, frame) {
        const step = frame.mediaTime - (video.shown ?? frame.mediaTime);
        if (step > 0.004 && step < 0.2 && !video.paused) video.step = Math.min(video.step ?? step, step);
        video.shown = frame.mediaTime;
        video.requestVideoFrameCallback(presented);
      });
      this.root.insertBefore(video, this.boxes);
      return video;
    }

    load(video, clip) {
      const file = this.owner.original ? "original" : "video_lowres.mp4";
      if (video.clip === clip && video.file === file) return;
      video.clip = clip;
      video.file = file;
      video.wanted = video.step = video.shown = undefined;
      video.poster = clip.poster ? `/media/${clip.video_id}/${clip.poster}${this.owner.data.pictures}` : "";
      video.src = `/media/${clip.video_id}/${file}`;
      video.setAttribute("aria-label", `${this.label}, ${clip.name}, ${this.owner.original ? "original" : "low resolution"}`);
      this.owner.inside(clip);
    }

    // for its file, or because nobody answers: then it is asked for until somebody does
    async failed() {
      if (this.asking) return;
      const { video } = this;
      this.asking = true;
      const answer = await fetch(video.src, { headers: { Range: "bytes=0-0" } }).catch(() => null);
      this.asking = false;
      if (video !== this.video) return this.video.error && this.failed();
      if (!video.error) return;
      if (answer && answer.status < 500) return this.owner.original ? this.owner.backToCopy() : this.say("broken");
      this.say("away");
      setTimeout(() => video === this.video && video.error && this.again(), AGAIN_MS);
    }

    again() {
      this.video.clip = null;
      this.show(this.clip, this.owner.t);
      if (this.owner.playing) this.owner.run();
    }

    // to a second of the clip that is loaded, as soon as it can
    to(video, seconds) {
      video.wanted = Math.max(0, seconds) + INTO_FRAME;
      if (video.readyState >= 1) this.settle(video);
    }

    settle(video) {
      if (video.wanted === undefined) return;
      const most = Number.isFinite(video.duration) ? video.duration - INTO_FRAME : video.wanted;
      video.currentTime = Math.min(video.wanted, most);
      video.wanted = undefined;
    }

    // the picture at a moment of the axis; null where this camera has none
    show(clip, at) {
      this.clip = clip;
      this.root.classList.toggle("empty", !clip?.playable);
      if (!clip?.playable) {
        this.video.pause();
        return this.say(clip ? "gone" : "dark");
      }
      this.say("");
      if (this.video.clip !== clip && this.spare?.clip === clip) this.swap();
      this.load(this.video, clip);
      this.video.className = "current";
      if (this.video.error) this.failed();
      if (Math.abs(this.seconds() + clip.at_s - at) > 2 * INTO_FRAME) this.to(this.video, at - clip.at_s);
    }

    swap() {
      [this.video, this.spare] = [this.spare, this.video];
      this.spare.pause();
      this.spare.className = "";
    }

    // have the next clip ready, so that no gap is felt
    prepare(clip, at) {
      if (!clip?.playable || this.video.clip === clip || this.spare?.clip === clip) return;
      this.spare ??= this.addVideo();
      this.load(this.spare, clip);
      this.to(this.spare, at - clip.at_s);
    }

    seconds() {
      return this.video.wanted ?? this.video.currentTime;
    }

    play(rate, muted) {
      this.video.playbackRate = rate;
      this.video.muted = muted;
      return this.video.play();
    }

    // follow another camera's time: a little faster or slower, with a jump where it is far off
    keepStep(at, rate) {
      const video = this.video;
      if (!this.clip?.playable || video.seeking || video.readyState < 2) return;
      const want = at - this.clip.at_s;
      const off = video.currentTime - want;
      if (video.ended || want > video.duration) return;
      if (Math.abs(off) > OFF) this.to(video, want);
      else video.playbackRate = Math.abs(off) < IN_STEP ? rate : rate * (1 - Math.max(-0.2, Math.min(0.2, off)));
    }

    say(what) {
      const texts = {
        away: "The server does not answer: the picture is back when it does.",
        broken: "This clip cannot be played here: its file is not there, or the browser cannot read it.",
        gone: "The small copy of this clip is not there.",
        dark: "Nothing was filmed.",
      };
      this.nothing.textContent = texts[what] ?? "";
      this.root.classList.toggle("broken", what === "broken" || what === "away");
    }

    draw() {
      const plates = this.clip?.playable ? (this.owner.inside(this.clip)?.plates ?? []) : [];
      const t = this.seconds();
      const used = new Set();
      for (const one of plates) {
        const box = boxOf(one, t, this.clip);
        if (!box) continue;
        used.add(one.sighting_id);
        let drawn = this.drawn.get(one.sighting_id);
        if (!drawn) {
          drawn = made("div", "box" + (one.confirmed ? "" : " unsure"));
          drawn.append(made("span"));
          drawn.firstChild.textContent = one.text;
          this.drawn.set(one.sighting_id, drawn);
          this.boxes.append(drawn);
        }
        drawn.classList.toggle("guess", box.guess);
        Object.assign(drawn.style, box.style);
      }
      for (const [id, drawn] of this.drawn)
        if (!used.has(id)) {
          drawn.remove();
          this.drawn.delete(id);
        }
    }
  }

  function boxOf(one, t, { width, height }) {
    const after = one.boxes.findIndex((box) => box[0] >= t);
    const next = after < 0 ? undefined : one.boxes[after];
    const last = after < 0 ? one.boxes.at(-1) : one.boxes[after - 1];
    let box, guess = false;
    if (last && next && next[0] - last[0] <= GAP) {
      const part = (t - last[0]) / (next[0] - last[0] || 1);
      box = last.map((value, index) => value + part * (next[index] - value));
    } else {
      box = [last, next].find((read) => read && Math.abs(read[0] - t) <= NEAR);
    }
    if (!box && !(last && next) && t >= one.first_s - NEAR && t <= one.last_s + NEAR) {
      box = movedOn(last ? one.boxes.slice(-2) : one.boxes.slice(0, 2).reverse(), t, width, height);
      guess = true;
    }
    if (!box) return null;
    const [, x0, y0, x1, y1] = box;
    const share = (value, whole) => (100 * value) / whole + "%";
    const style = { left: share(x0, width), top: share(y0, height), width: share(x1 - x0, width), height: share(y1 - y0, height) };
    return { guess, style };
  }

  // where a plate is that was read at the second of these two boxes, and came there from the first; inside the picture
  function movedOn([from, to = from], t, width, height) {
    const times = (t - to[0]) / (to[0] - from[0] || 1);
    const [x, y] = [1, 2].map((at) => times * ((to[at] + to[at + 2] - from[at] - from[at + 2]) / 2));
    const inside = (value, size, most) => Math.min(Math.max(value, 0), Math.max(0, most - size));
    const [wide, high] = [to[3] - to[1], to[4] - to[2]];
    const [left, top] = [inside(to[1] + x, wide, width), inside(to[2] + y, high, height)];
    return [t, left, top, left + wide, top + high];
  }

  window.dashcamPlayer = { Screen, made };
}
