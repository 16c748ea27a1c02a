// The keys of the player, in the browser itself: they work wherever the focus is but in a field.
{
  const { made } = window.dashcamPlayer;
  const RATES = [1, 2, 4, 8];
  const ONCE = ["f", "?", "m", "c", "o", " "]; // a key that is held down does these once
  const KEYS = [
    ["Space", "Play or pause"],
    ["← →", "5 seconds back or on"],
    [", .", "One frame back or on"],
    ["J K L", "Backwards, pause, forwards; again for faster"],
    ["N P", "Next plate, plate before"],
    ["+ −", "Zoom the timeline; 0 shows all of it"],
    ["Home End", "To the beginning, to the end"],
    ["C", "One camera large, or all side by side"],
    ["M", "Sound on or off"],
    ["O", "The original of a clip, or its small copy"],
    ["F", "Full screen"],
    ["?", "These keys"],
  ];

  const faster = (rate) => RATES[Math.min(RATES.length - 1, RATES.indexOf(rate) + 1)];

  window.dashcamPlayer.Keys = class {
    constructor(player) {
      this.player = player;
      this.dialog = this.sheet();
      player.append(this.dialog);
      this.onKey = (event) => this.keyed(event);
      addEventListener("keydown", this.onKey, true);
    }

    leave() {
      removeEventListener("keydown", this.onKey, true);
    }

    sheet() {
      const dialog = made("dialog", "keys-sheet", { "aria-label": "Keys of the player" });
      const list = made("dl");
      for (const [keys, what] of KEYS) {
        if (keys === "O" && !this.player.buttons.original) continue;
        const line = made("div"), name = made("dt"), text = made("dd");
        for (const key of keys.split(" ")) name.append(Object.assign(made("kbd"), { textContent: key }));
        text.textContent = what;
        line.append(name, text);
        list.append(line);
      }
      const close = made("button", "button small", { type: "button" });
      close.textContent = "Close";
      close.addEventListener("click", () => dialog.close());
      dialog.append(list, close);
      return dialog;
    }

    help() {
      if (this.dialog.open) this.dialog.close();
      else this.dialog.showModal();
    }

    keyed(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
      if (this.dialog.open && event.key !== "?") return;
      // what else on the page is pressed with the space bar stays so
      const own = this.player.contains(event.target) || !event.target.closest?.("button, summary, [role=button]");
      const act = this.acts()[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act || (event.key === " " && !own)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat || !ONCE.includes(event.key)) act();
    }

    acts() {
      const player = this.player, line = player.timeline;
      return {
        " ": () => player.toggle(),
        ArrowLeft: () => player.jump(-5),
        ArrowRight: () => player.jump(5),
        Home: () => player.seek(0),
        End: () => player.seek(player.data.length_s),
        ",": () => player.step(-1),
        ".": () => player.step(1),
        j: () => player.back(faster(player.backwards)),
        k: () => player.pause(),
        l: () => player.play(player.playing ? faster(player.rate) : 1),
        n: () => player.plate(1),
        p: () => player.plate(-1),
        "+": () => line.zoom(0.5),
        "=": () => line.zoom(0.5),
        "-": () => line.zoom(2),
        0: () => line.zoom(Infinity),
        c: () => player.cycle(),
        m: () => player.sound(),
        o: () => player.buttons.original?.click(),
        f: () => player.full(),
        "?": () => this.help(),
      };
    }
  };
}
