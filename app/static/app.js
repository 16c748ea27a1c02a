// Small things: the search key, the theme button, filters that submit themselves.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  event.preventDefault();
  document.querySelector(".search input")?.focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("button.theme[type=button]")) dashcamToggleTheme();
});

document.addEventListener("change", (event) => {
  if (event.target.matches?.("select.submits")) event.target.form.requestSubmit();
});

// an address without "camera=&outcome=" is one a person can read
document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("[name]")) field.disabled = !field.value;
  setTimeout(() => event.target.querySelectorAll("[name]").forEach((field) => (field.disabled = false)));
});

window.dashcamSeek = (event, seconds) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  window.dispatchEvent(new CustomEvent("dashcam-seek", { detail: seconds }));
};

// whose log-in has ended elsewhere sees no more of this page, nor what was typed on it
let loggedOut = false;
const leaveWhenLoggedOut = async () => {
  const answer = await fetch("/log-in/check", { redirect: "manual" }).catch(() => null);
  if (answer?.type !== "opaqueredirect") return;
  loggedOut = true;
  location.reload();
};
addEventListener("load", () => setTimeout(() => window.socket?.on("connect_error", leaveWhenLoggedOut)));

// NiceGUI sets its own idea of dark when the page is mounted: ours has the last word
addEventListener("load", () => setTimeout(() => dashcamApplyTheme()));

// What was typed and not sent is there again where the page had to be loaded anew: the computer slept, the server was
// started again. The tab alone keeps it, until the next page.
{
  const KIND = ":is(textarea, input:not([type=password], [type=hidden], [type=checkbox], [type=radio], [type=file]))";
  const key = "unsent";
  const sent = new WeakSet();
  const fields = (name) => [...document.querySelectorAll(`${KIND}[name="${CSS.escape(name)}"]`)];
  const isUnsent = (one) =>
    one.value !== one.defaultValue && !loggedOut && !sent.has(one.form) && !one.closest("form[method=get]");
  const keep = () => {
    const typed = [...document.querySelectorAll(`${KIND}[name]`)].filter(isUnsent).map((one) => {
      return { name: one.name, at: fields(one.name).indexOf(one), was: one.defaultValue, now: one.value };
    });
    sessionStorage.setItem(key, JSON.stringify({ page: location.href, typed }));
  };
  const kept = JSON.parse(sessionStorage.getItem(key));
  sessionStorage.removeItem(key);
  addEventListener("pagehide", keep);
  document.addEventListener("visibilitychange", () => document.hidden && keep()); // the tab may be put away
  document.addEventListener("submit", (event) => sent.add(event.target));
  document.addEventListener("input", (event) => sent.delete(event.target.form));
  addEventListener("dashcam-built", () => {
    const again = performance.getEntriesByType("navigation")[0].type === "reload" || document.wasDiscarded;
    for (const { name, at, was, now } of again && kept?.page === location.href ? kept.typed : []) {
      const one = fields(name)[at];
      if (one?.value !== was) continue;
      for (let around = one.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
      one.value = now;
      one.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
}
