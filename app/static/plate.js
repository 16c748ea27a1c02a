// A plate's list and its map lead to each other: an entry opens its pin, and a pin's popup leads to the entry.
addEventListener("click", (event) => {
  const button = event.target.closest("[data-pin]");
  const map = document.querySelector("iframe.map");
  if (!button || !map) return;
  const { pin, place } = button.dataset;
  map.scrollIntoView({ block: "nearest" });
  map.focus();
  map.contentWindow.postMessage({ pin: Number(pin), place: place.split(",").map(Number) }, location.origin);
});

addEventListener("message", (event) => {
  if (event.origin !== location.origin || !Number.isInteger(event.data?.entry)) return;
  const entry = document.getElementById(`s${event.data.entry}`);
  entry?.scrollIntoView({ block: "center" });
  entry?.querySelector("a")?.focus();
});
