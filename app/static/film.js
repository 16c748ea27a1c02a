// Small pictures of what lies under the pointer, out of the small copy itself, which has a keyframe every two seconds;
// where it is not there, what frames there are.
window.dashcamPlayer.Film = class {
  constructor(owner) {
    this.owner = owner;
    this.video = window.dashcamPlayer.made("video", "", { playsinline: "", preload: "auto", tabindex: "-1" });
    this.video.muted = true;
    this.video.disableRemotePlayback = true;
    for (const name of ["seeked", "loadedmetadata"]) this.video.addEventListener(name, () => this.goOn());
    this.video.addEventListener("error", () => this.clip && this.frame());
  }

  show(tile, at) {
    this.tile = tile;
    this.at = at;
    const clips = this.owner.data.cameras.map((camera) => this.owner.footage.clipAt(camera, at)).filter(Boolean);
    const clip = clips.find((one) => one.playable) ?? clips[0];
    if (!clip) return this.fill("", "Nothing was filmed");
    if (!clip.playable || clip.unreadable) {
      this.clip = clip;
      return this.frame();
    }
    if (this.video.parentElement !== tile) tile.replaceChildren(this.video);
    tile.style.backgroundImage = "";
    this.wanted = Math.max(0, at - clip.at_s);
    if (this.clip !== clip) {
      this.clip = clip;
      this.video.src = `/media/${clip.video_id}/video_lowres.mp4`;
    } else this.goOn();
  }

  // one seek after the other, always to where the pointer is by then
  goOn() {
    if (this.wanted === undefined || this.video.seeking || this.video.readyState < 1) return;
    this.video.currentTime = Math.min(this.wanted, Math.max(0, (this.video.duration || this.wanted) - 0.01));
    this.wanted = undefined;
  }

  frame() {
    const clip = this.clip;
    if (clip.playable) clip.unreadable = true;
    const far = (one) => Math.abs(clip.at_s + one.best_s - this.at);
    const seen = this.owner.known(clip)?.plates ?? [];
    const nearest = seen.reduce((best, one) => (!best || far(one) < far(best) ? one : best), null);
    const path = nearest && far(nearest) < 5 ? nearest.frame : clip.poster && clip.poster + this.owner.data.pictures;
    this.fill(path ? `/media/${clip.video_id}/${path}` : "", path ? "" : "No picture");
  }

  fill(source, text) {
    this.tile.replaceChildren(text);
    this.tile.style.backgroundImage = source ? `url("${source}")` : "";
  }
};
