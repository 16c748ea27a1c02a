// The boxes follow the plates: between two reads less than GAP apart the box is interpolated. Where a plate is in sight
// and was not read, before the first read and after the last, the box goes on as it went, and is dashed.
const GAP = 1.5;
const NEAR = 0.12; // s: a read shows this long before and after its frame
const INTO_FRAME = 0.002; // s: lands inside the wanted frame, not on the edge to the one before

export default {
  template: `
    <div class="player">
      <div class="stage" :style="{ aspectRatio: width + ' / ' + height, maxWidth: (74 * width) / height + 'vh' }">
        <video ref="video" controls playsinline preload="metadata" :src="source" :poster="poster || undefined"
          aria-label="The clip, low resolution" @loadedmetadata="opened" @play="follow" @seeked="look"
          @timeupdate="look" @error="broken = true"></video>
        <div class="boxes" aria-hidden="true">
          <div v-for="box in boxes" :key="box.id" class="box" :class="{ unsure: !box.confirmed, guess: box.guess }" :style="box.style">
            <span>{{ box.text }}</span>
          </div>
        </div>
        <p v-if="broken" class="broken">The video cannot be played here: its file is not there, or the browser cannot read it.</p>
      </div>
      <div v-if="sightings.length" ref="strip" class="strip" :style="{ '--lanes': lanes }" @click.self="seekTo($event)">
        <button v-for="one in sightings" :key="one.id" type="button" class="bar"
          :class="{ unsure: !one.confirmed, now: t >= one.first - 0.1 && t <= one.last + 0.1 }" :style="barStyle(one)"
          :title="one.text + ', ' + clock(one.best)" :aria-label="'Plate ' + one.text + ' at ' + clock(one.best)"
          @click="seek(one.best)">{{ one.text }}</button>
        <i class="cursor" :style="{ left: (100 * t / length) + '%' }"></i>
      </div>
      <div v-if="sightings.length" class="strip-ends muted small num"><span>{{ clock(0) }}</span><span>{{ clock(length / 2) }}</span><span>{{ clock(length) }}</span></div>
    </div>`,
  props: {
    source: String,
    poster: String,
    width: Number,
    height: Number,
    duration: Number,
    start: Number,
    sightings: Array,
  },
  data() {
    return { t: this.start ?? 0, boxes: [], length: this.duration || 1, broken: false };
  },
  computed: {
    lanes() {
      return Math.max(1, ...this.sightings.map((one) => one.lane + 1));
    },
  },
  mounted() {
    this.onMessage = (event) => {
      if (event.origin !== location.origin) return;
      if (typeof event.data?.seek === "number") this.seek(event.data.seek);
      if (event.data?.ready) this.tellMaps();
    };
    this.onSeek = (event) => this.seek(event.detail);
    window.addEventListener("message", this.onMessage);
    window.addEventListener("dashcam-seek", this.onSeek);
  },
  unmounted() {
    window.removeEventListener("message", this.onMessage);
    window.removeEventListener("dashcam-seek", this.onSeek);
  },
  methods: {
    opened() {
      const video = this.$refs.video;
      if (Number.isFinite(video.duration)) this.length = video.duration;
      if (this.start != null) video.currentTime = this.start + INTO_FRAME;
    },
    seek(seconds) {
      const video = this.$refs.video;
      video.pause();
      video.currentTime = seconds + INTO_FRAME;
      history.replaceState(history.state, "", "?t=" + seconds.toFixed(2));
      const box = this.$el.getBoundingClientRect();
      if (box.top < 0 || box.top > innerHeight / 2) this.$el.scrollIntoView({ behavior: "smooth", block: "start" });
    },
    seekTo(event) {
      const strip = this.$refs.strip.getBoundingClientRect();
      this.seek(((event.clientX - strip.left) / strip.width) * this.length);
    },
    follow() {
      this.look();
      const video = this.$refs.video;
      if (video && !video.paused && !video.ended) requestAnimationFrame(() => this.follow());
    },
    look() {
      if (!this.$refs.video) return;
      this.t = this.$refs.video.currentTime;
      this.boxes = this.sightings.map((one) => this.boxOf(one)).filter(Boolean);
      if (Math.abs(this.t - (this.told ?? -1)) >= 0.2) this.tellMaps();
    },
    tellMaps() {
      this.told = this.t;
      for (const map of document.querySelectorAll("iframe.map"))
        map.contentWindow?.postMessage({ t: this.t }, location.origin);
    },
    boxOf(one) {
      const after = one.boxes.findIndex((box) => box[0] >= this.t);
      const next = after < 0 ? undefined : one.boxes[after];
      const last = after < 0 ? one.boxes.at(-1) : one.boxes[after - 1];
      let box, guess = false;
      if (last && next && next[0] - last[0] <= GAP) {
        const part = (this.t - last[0]) / (next[0] - last[0] || 1);
        box = last.map((value, index) => value + part * (next[index] - value));
      } else {
        box = [last, next].find((read) => read && Math.abs(read[0] - this.t) <= NEAR);
      }
      if (!box && !(last && next) && this.t >= one.first - NEAR && this.t <= one.last + NEAR) {
        box = this.movedOn(last ? one.boxes.slice(-2) : one.boxes.slice(0, 2).reverse());
        guess = true;
      }
      if (!box) return null;
      const [, x0, y0, x1, y1] = box;
      const style = {
        left: (100 * x0) / this.width + "%",
        top: (100 * y0) / this.height + "%",
        width: (100 * (x1 - x0)) / this.width + "%",
        height: (100 * (y1 - y0)) / this.height + "%",
      };
      return { id: one.id, text: one.text, confirmed: one.confirmed, guess, style };
    },
    // where a plate is that was read at the second of these two boxes, and came there from the first; inside the picture
    movedOn([from, to = from]) {
      const times = (this.t - to[0]) / (to[0] - from[0] || 1);
      const [x, y] = [1, 2].map((at) => times * ((to[at] + to[at + 2] - from[at] - from[at + 2]) / 2));
      const inside = (value, size, most) => Math.min(Math.max(value, 0), Math.max(0, most - size));
      const [wide, high] = [to[3] - to[1], to[4] - to[2]];
      const [left, top] = [inside(to[1] + x, wide, this.width), inside(to[2] + y, high, this.height)];
      return [this.t, left, top, left + wide, top + high];
    },
    barStyle(one) {
      const left = Math.min(one.first / this.length, 0.985);
      return { left: 100 * left + "%", width: 100 * ((one.last - one.first) / this.length) + "%", "--lane": one.lane };
    },
    clock(seconds) {
      const tenths = Math.round(seconds * 10);
      return Math.floor(tenths / 600) + ":" + ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
    },
  },
};
