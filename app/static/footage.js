// What there is to be shown: of each camera its clips, in order of time.
{
  class Footage {
    static TOUCHING = 1.5; // s: a shorter break between clips is none

    constructor({ clips, cameras, plates, length_s }) {
      this.byCamera = new Map(cameras.map((camera) => [camera, clips.filter((clip) => clip.camera === camera)]));
      for (const clip of clips) clip.end_s = clip.at_s + clip.length_s;
      this.gaps = [];
      let end = 0;
      for (const clip of clips) {
        if (clip.at_s > end + Footage.TOUCHING) this.gaps.push([end, clip.at_s]);
        end = Math.max(end, clip.end_s);
      }
      plates.sort((a, b) => a.best_s - b.best_s);
      this.lastMoment = Math.max(0, length_s - 0.001); // the end itself belongs to the last clip
    }

    // of a camera the clip at a moment, the one that began last
    clipAt(camera, t) {
      const clips = this.byCamera.get(camera);
      let low = 0, high = clips.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (clips[middle].at_s <= t + 0.001) low = middle + 1;
        else high = middle;
      }
      const found = clips[low - 1];
      return found && t < found.end_s ? found : null;
    }

    after(camera, t) {
      return this.byCamera.get(camera).find((clip) => clip.at_s > t + 0.001) ?? null;
    }
  }

  window.dashcamPlayer.Footage = Footage;
}
