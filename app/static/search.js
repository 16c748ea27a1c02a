// The search answers as somebody types: the part that changes comes as a piece of HTML from the server.
const PAUSE_MS = 180;
let waiting, asking;

const box = () => document.querySelector(".search input[name=q]");

async function look(address, remember) {
  asking?.abort();
  asking = new AbortController();
  const found = document.getElementById("found");
  found.classList.add("waiting");
  try {
    const answer = await fetch("/found" + address, { signal: asking.signal, redirect: "error" });
    if (!answer.ok) throw new Error(answer.status);
    const piece = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("found");
    document.getElementById("found").replaceWith(piece);
    if (remember) history.replaceState(history.state, "", address);
    for (const hidden of document.querySelectorAll(".narrow-down input[name=q]")) hidden.value = box().value.trim();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  }
}

function addressNow() {
  const parameters = new URLSearchParams(location.search);
  const typed = box().value.trim();
  typed ? parameters.set("q", typed) : parameters.delete("q");
  parameters.delete("skip");
  return location.pathname + (parameters.size ? `?${parameters}` : "");
}

document.addEventListener("input", (event) => {
  if (event.target !== box()) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => look(addressNow(), true), PAUSE_MS);
});

// Enter keeps what narrows the search down, which the box in the frame does not know
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".search")) return;
  event.preventDefault();
  clearTimeout(waiting);
  look(addressNow(), true);
});

// by keyboard: down from the box into what was found, along it, and back
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const cards = [...document.querySelectorAll("#found .plate-card")];
  const at = cards.indexOf(document.activeElement);
  if (event.target === box() && event.key === "ArrowDown" && cards.length) cards[0].focus();
  else if (at >= 0 && event.key === "ArrowRight" && cards[at + 1]) cards[at + 1].focus();
  else if (at >= 0 && event.key === "ArrowLeft") (cards[at - 1] ?? box()).focus();
  else if (at >= 0 && event.key === "ArrowDown") below(cards, at, 1)?.focus();
  else if (at >= 0 && event.key === "ArrowUp") (below(cards, at, -1) ?? box()).focus();
  else return;
  event.preventDefault();
});

function below(cards, at, rows) {
  const across = cards.filter((card) => card.offsetTop === cards[0].offsetTop).length;
  return cards[at + rows * across];
}
