// The buttons below the picture.
window.dashcamPlayer.bar = (player) => {
  const { made } = window.dashcamPlayer;
  const bar = made("div", "player-bar", { role: "toolbar", "aria-label": "Player" });
  const button = (name, icon, act, key) => {
    const one = made("button", "", { type: "button", "aria-label": name, title: key ? `${name} (${key})` : name });
    one.append(made("i", "q-icon material-icons", { "aria-hidden": "true" }));
    one.firstChild.textContent = icon;
    one.addEventListener("click", act);
    bar.append(one);
    return one;
  };
  player.buttons = {};
  button("Plate before", "skip_previous", () => player.plate(-1), "P");
  button("5 seconds back", "replay_5", () => player.jump(-5), "←");
  player.buttons.play = button("Play", "play_arrow", () => player.toggle(), "Space");
  button("5 seconds on", "forward_5", () => player.jump(5), "→");
  button("Next plate", "skip_next", () => player.plate(1), "N");
  player.said = made("span", "time num");
  bar.append(player.said);
  bar.append(made("span", "grow"));
  button("Show less of the timeline", "zoom_in", () => player.timeline.zoom(0.5), "+");
  button("Show more of the timeline", "zoom_out", () => player.timeline.zoom(2), "−");
  if (player.screens.length > 1) button("One camera or all", "splitscreen", () => player.cycle(), "C");
  if (made("video").canPlayType(player.getAttribute("original") ?? ""))
    player.buttons.original = button("Original", "hd", () => player.switchTo(!player.original), "O");
  player.buttons.sound = button("Sound on", "volume_off", () => player.sound(), "M");
  button("Full screen", "fullscreen", () => player.full(), "F");
  button("Keys", "keyboard", () => player.keys.help(), "?").classList.add("keys-button");
  return bar;
};
