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

// whose log-in has ended elsewhere sees no more of this page
const leaveWhenLoggedOut = async () => {
  const answer = await fetch("/log-in/check", { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") location.reload();
};
addEventListener("load", () => setTimeout(() => window.socket?.on("connect_error", leaveWhenLoggedOut)));

// NiceGUI sets its own idea of dark when the page is mounted: ours has the last word
addEventListener("load", () => setTimeout(() => dashcamApplyTheme()));
