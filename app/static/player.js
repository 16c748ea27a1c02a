// The player: a clip, or a whole trip from clip to clip, all cameras in step, with its timeline and its keys.
{
  const { Film, Footage, Keys, Screen, Timeline, made } = window.dashcamPlayer;
  const CAMERAS = { front: "Front", rear: "Rear", interior: "Interior", telephoto: "Telephoto" };
  const { TOUCHING } = Footage;
  const READY_S = 12; // so long before a clip ends the next one is made ready
  const COPY_FPS = 15;
  const AGAIN_MS = 2000; // so long after nobody has said what is in a clip
  class Player extends HTMLElement {
    connectedCallback() {
      if (this.data || this.asked) return;
      this.asked = true;
      this.start();
    }

    disconnectedCallback() {
      this.keys?.leave();
      removeEventListener("message", this.onMessage);
      removeEventListener("dashcam-seek", this.onSeek);
      cancelAnimationFrame(this.next);
      this.timeline?.leave();
    }

    async start() {
      this.insides = new Map();
      this.t = Number(this.getAttribute("at")) || 0;
      this.rate = 1;
      this.playing = false;
      this.muted = true;
      this.waiting = made("div", "stage waits");
      this.append(this.waiting);
      try {
        const answer = await fetch(this.getAttribute("source"));
        if (!answer.ok) throw new Error(answer.status);
        this.data = await answer.json();
      } catch {
        this.waiting.textContent = "The player could not ask what there is to play: reload the page.";
        return;
      }
      this.footage = new Footage(this.data);
      this.isTrip = this.data.clock_s !== null;
      this.build();
      this.listen();
      this.seek(this.t, { first: true });
    }

    build() {
      this.film = new Film(this);
      this.stage = made("div", "stage");
      this.screens = this.data.cameras.map((camera) => new Screen(camera, CAMERAS[camera] ?? "Camera", this));
      this.stage.append(...this.screens.map((screen) => screen.root));
      this.stage.classList.toggle("several", this.screens.length > 1);
      this.notice = made("p", "notice", { role: "status" });
      this.stage.append(this.notice);
      this.screens.forEach((screen) => screen.root.addEventListener("click", () => this.toggle()));
      this.timeline = new Timeline(this, this.data, Number(this.getAttribute("zoom")) || 0);
      this.waiting.replaceWith(this.stage, window.dashcamPlayer.bar(this), this.timeline.root);
      this.keys = new Keys(this);
      this.large = null;
      this.lay();
    }

    listen() {
      this.onMessage = (event) => {
        if (event.origin !== location.origin) return;
        const { seek, video } = event.data ?? {};
        const clip = this.data.clips.find((one) => one.video_id === video);
        if (typeof seek === "number") this.land(seek + (clip?.at_s ?? 0));
        if (event.data?.ready) this.tellMaps();
      };
      this.onSeek = (event) => this.land(event.detail);
      addEventListener("message", this.onMessage);
      addEventListener("dashcam-seek", this.onSeek);
    }

    // what is known of a clip's inside, and what is asked for until somebody answers
    known(clip) {
      return this.insides.get(clip.video_id)?.found;
    }

    inside(clip) {
      const asked = this.insides.get(clip.video_id);
      if (asked) return asked.found;
      const entry = { found: undefined };
      this.insides.set(clip.video_id, entry);
      fetch(`/timeline/videos/${clip.video_id}/inside`)
        .then((answer) => {
          if (answer.status >= 500) throw new Error("the server is away");
          return answer.ok ? answer.json() : { plates: [], speeds: [] };
        })
        .then((found) => {
          entry.found = found;
          this.looked();
          this.timeline?.paint();
        })
        .catch(() => setTimeout(() => this.insides.delete(clip.video_id) && this.isConnected && this.looked(), AGAIN_MS));
      return undefined;
    }

    get lead() {
      return this.screens.find((screen) => screen.clip?.playable) ?? null;
    }

    // show every camera's picture of that moment
    place(t) {
      this.t = Math.max(0, Math.min(t, this.data.length_s));
      for (const screen of this.screens) screen.show(this.footage.clipAt(screen.camera, Math.min(this.t, this.footage.lastMoment)), this.t);
    }

    seek(t, { first = false, middle = first } = {}) {
      this.place(t);
      if (this.playing) this.run();
      this.timeline.follow(this.t, middle || this.t < this.timeline.start || this.t > this.timeline.start + this.timeline.size);
      this.looked();
      if (!first) this.noteAddress();
    }

    // where one is sent to: paused, and in sight
    land(t) {
      this.pause();
      this.seek(t);
      const box = this.getBoundingClientRect();
      if (box.top < 0 || box.top > innerHeight / 2) this.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "start" });
    }

    jump(seconds) {
      this.seek(this.t + seconds);
    }

    // with the pointer down the pictures follow as fast as they can
    scrub(t) {
      this.scrubbing ??= { played: this.playing };
      if (this.scrubbing.played && this.playing) this.pause(false);
      this.place(t);
      this.looked();
      this.timeline.point(this.t);
    }

    scrubbed() {
      const played = this.scrubbing?.played;
      this.scrubbing = undefined;
      this.noteAddress();
      if (played) this.play();
    }

    toggle() {
      if (this.playing || this.backwards) this.pause();
      else this.play();
    }

    play(rate = 1) {
      this.backwards = 0;
      this.rate = rate;
      if (this.t >= this.footage.lastMoment) this.place(0);
      if (!this.lead) this.advance();
      this.playing = Boolean(this.lead);
      if (this.playing) this.run();
      this.paintButtons();
    }

    run() {
      for (const screen of this.screens)
        if (screen.clip?.playable)
          screen.play(this.rate, this.muted || screen !== this.lead).catch((error) => {
            if (error.name === "NotAllowedError") this.pause();
          });
      cancelAnimationFrame(this.next);
      this.next = requestAnimationFrame(() => this.frame());
    }

    pause(note = true) {
      const lead = this.lead;
      const was = this.playing || this.backwards;
      this.playing = false;
      this.backwards = 0;
      this.rate = 1;
      cancelAnimationFrame(this.next);
      for (const screen of this.screens) screen.video.pause();
      if (was && lead) {
        this.t = lead.clip.at_s + lead.seconds();
        for (const screen of this.screens) if (screen !== lead && screen.clip?.playable) screen.to(screen.video, this.t - screen.clip.at_s);
      }
      this.looked();
      if (note && was) this.noteAddress();
      this.paintButtons();
    }

    // while it plays: the first camera's clock is the trip's
    frame() {
      if (!this.playing) return;
      const lead = this.lead;
      if (!lead) return this.advance();
      if (!lead.video.seeking) this.t = Math.max(0, lead.clip.at_s + lead.seconds());
      if (lead.video.ended || this.t >= lead.clip.end_s) this.advance();
      else {
        for (const screen of this.screens) this.accompany(screen, lead);
        this.looked();
        this.timeline.follow(this.t);
      }
      if (this.playing) this.next = requestAnimationFrame(() => this.frame());
    }

    accompany(screen, lead) {
      const clip = screen.clip && this.t < screen.clip.end_s ? screen.clip : this.footage.clipAt(screen.camera, this.t);
      if (screen !== lead && clip !== screen.clip) {
        screen.show(clip, this.t);
        if (clip?.playable) screen.play(this.rate, this.muted || screen !== this.lead).catch(() => undefined);
      } else if (screen !== lead) screen.keepStep(this.t, this.rate);
      const following = this.footage.after(screen.camera, screen.clip?.at_s ?? this.t);
      const from = screen.clip && following && following.at_s < screen.clip.end_s + TOUCHING ? Math.max(following.at_s, screen.clip.end_s) : following?.at_s;
      if (following && from - this.t < READY_S * this.rate) screen.prepare(following, from);
    }

    // at the end of a clip: on with what was filmed next, and say what is passed over
    advance() {
      const lead = this.lead;
      const end = lead ? Math.max(lead.clip.end_s, this.t) : this.t;
      const own = lead && this.footage.after(lead.camera, lead.clip.at_s);
      const goes = own && own.playable && own.at_s <= end + TOUCHING;
      const beside = this.screens.some((screen) => screen !== lead && this.footage.clipAt(screen.camera, end)?.playable);
      const later = this.data.clips.find((clip) => clip.playable && clip.at_s >= end);
      if (goes) this.place(Math.max(own.at_s, end) + 0.0011);
      else if (beside) this.place(end);
      else if (later) {
        if (later.at_s - end > TOUCHING) this.say(`${span(later.at_s - end)} that nobody filmed`);
        this.place(later.at_s);
      } else {
        this.t = Math.min(end, this.data.length_s);
        this.pause();
        return;
      }
      if (this.lead) this.run();
      else this.pause();
      this.timeline.follow(this.t);
    }

    // the same backwards: picture by picture, as fast as they come
    back(rate) {
      if (this.playing) this.pause(false);
      this.backwards = rate;
      this.paintButtons();
      let last = performance.now();
      const step = (now) => {
        if (!this.backwards) return;
        const busy = this.screens.some((screen) => screen.clip?.playable && screen.video.seeking);
        if (!busy) {
          this.place(this.t - ((now - last) / 1000) * this.backwards);
          last = now;
          this.looked();
          this.timeline.follow(this.t, this.t < this.timeline.start);
        }
        if (this.t > 0) this.next = requestAnimationFrame(step);
        else this.pause();
      };
      this.next = requestAnimationFrame(step);
    }

    step(direction) {
      this.pause();
      const lead = this.lead;
      const step = lead?.video.step ?? Math.max(1 / (lead?.clip.fps || COPY_FPS), 1 / COPY_FPS);
      const here = lead?.video.shown === undefined ? this.t : lead.clip.at_s + lead.video.shown;
      this.seek((Math.abs(here - this.t) < step ? here : this.t) + direction * step);
    }

    plate(direction) {
      const { plates } = this.data;
      const found = direction > 0 ? plates.find((one) => one.best_s > this.t + 0.05) : plates.findLast((one) => one.best_s < this.t - 0.05);
      if (!found) return this.say(direction > 0 ? "No plate after this" : "No plate before this");
      this.land(found.best_s);
      this.say(found.text);
    }

    // something has changed that is to be seen: the boxes, the time, the map's dot
    looked() {
      for (const screen of this.screens) screen.draw();
      this.said.textContent = `${this.clock(this.t, true)}${this.rate === 1 ? "" : ` · ${this.rate}×`}`;
      if (Math.abs(this.t - (this.told ?? -1)) >= 0.2) this.tellMaps();
    }

    tellMaps() {
      this.told = this.t;
      for (const map of document.querySelectorAll("iframe.map")) map.contentWindow?.postMessage({ t: this.t }, location.origin);
    }

    say(text) {
      this.notice.textContent = text;
      clearTimeout(this.silent);
      this.silent = setTimeout(() => (this.notice.textContent = ""), 3000);
    }

    paintButtons() {
      const runs = this.playing || this.backwards;
      this.buttons.play.setAttribute("aria-label", runs ? "Pause" : "Play");
      this.buttons.play.firstChild.textContent = runs ? "pause" : "play_arrow";
      this.buttons.original?.setAttribute("aria-pressed", String(Boolean(this.original)));
      this.buttons.sound.setAttribute("aria-label", this.muted ? "Sound on" : "Sound off");
      this.buttons.sound.firstChild.textContent = this.muted ? "volume_off" : "volume_up";
    }

    sound() {
      this.muted = !this.muted;
      for (const screen of this.screens) screen.video.muted = this.muted || screen !== this.lead;
      this.paintButtons();
    }

    // the file as the camera wrote it in place of the small copy, at the same moment; it may have been let go meanwhile
    async switchTo(original) {
      const { video_id } = this.data.clips[0];
      if (original) {
        const answer = await fetch(`/media/${video_id}/original`, { headers: { Range: "bytes=0-0" } }).catch(() => null);
        if (!answer?.ok) return this.say("The original is not there any more: this is its small copy");
      }
      const rate = this.playing ? this.rate : 0;
      this.pause();
      this.original = original;
      this.place(this.t);
      if (rate) this.play(rate);
      this.paintButtons();
    }

    backToCopy() {
      this.switchTo(false);
      this.say("The original is gone, or this browser cannot play it: this is its small copy");
    }

    cycle() {
      const order = [null, ...this.screens];
      this.large = order[(order.indexOf(this.large) + 1) % order.length];
      this.lay();
    }

    lay() {
      for (const screen of this.screens) screen.root.hidden = this.large !== null && screen !== this.large;
      this.stage.classList.toggle("several", this.large === null && this.screens.length > 1);
      const one = (this.large?.clip ?? this.data.clips.find((clip) => !this.large || clip.camera === this.large.camera)) || { width: 16, height: 9 };
      this.style.setProperty("--wide", one.width);
      this.style.setProperty("--high", one.height);
    }

    full() {
      if (document.fullscreenElement) document.exitFullscreen();
      else this.requestFullscreen?.().catch(() => undefined);
    }

    noteAddress() {
      const zoomed = this.timeline.size < this.timeline.whole * 0.999 ? `&z=${this.timeline.size.toFixed(2)}` : "";
      history.replaceState(history.state, "", `?t=${this.t.toFixed(2)}${zoomed}`);
    }

    // a moment of the axis for people: the time of day on a trip, the second of a clip
    clock(t, exact) {
      const [zero, day] = this.isTrip ? [this.data.clock_s, 86400] : [0, Infinity];
      const tenths = Math.round((zero + t) * 10) % (day * 10);
      const [hours, minutes] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60];
      const seconds = (tenths % 600) / 10;
      const tail = exact ? seconds.toFixed(1).padStart(4, "0") : String(Math.floor(seconds)).padStart(2, "0");
      const two = (value) => String(value).padStart(2, "0");
      if (this.isTrip) return `${two(hours)}:${two(minutes)}:${tail}`;
      return hours ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
    }
  }

  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const span = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

  // what it builds in itself must not be there yet when Vue takes over the page
  addEventListener("dashcam-built", () => customElements.define("dashcam-player", Player), { once: true });
}
