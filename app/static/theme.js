// Before the first paint, so that a dark page never flashes white. "auto" follows the system.
(() => {
  // app.css says it by theme; what NiceGUI says of it here would have all of the page styled anew
  document.getElementById("nicegui-color-scheme")?.removeAttribute("name");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = localStorage.getItem("theme") ?? "auto";
    const dark = chosen === "auto" ? system.matches : chosen === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    if (typeof setDark === "function") setDark(dark); // NiceGUI's own elements
  };
  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply); // another tab, or the page around a map, has changed it
  window.dashcamToggleTheme = () => {
    const dark = document.documentElement.dataset.theme !== "dark";
    // back to the system's own choice when that is what was asked for
    if (dark === system.matches) localStorage.removeItem("theme");
    else localStorage.setItem("theme", dark ? "dark" : "light");
    apply();
  };
  window.dashcamApplyTheme = apply;
})();
