// A plate's list and its map lead to each other: an entry opens its pin, and a pin's popup leads to the entry.
// What was read of a sighting is fetched when somebody opens it.
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

async function fill(details) {
  const place = details.querySelector(".readings-of");
  if (!details.open || place.childNodes.length) return;
  const answer = await fetch(details.dataset.reads, { redirect: "error" }).catch(() => null);
  const text = answer?.ok ? await answer.text() : "<p>It cannot be fetched now. Load the page anew.</p>";
  place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
}
// the event stays at its element: it is met on the way there
addEventListener("toggle", (event) => event.target.matches?.("[data-reads]") && fill(event.target), true);
for (const opened of document.querySelectorAll("[data-reads][open]")) fill(opened); // before this script came
