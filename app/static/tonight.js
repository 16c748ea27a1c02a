// The keys of Tonight: J and K go from one thing to the next, X marks it, U takes back, Enter is the link's own. Y and N
// say of two plates whether they are one car: of those in focus, else of the first two.
(() => {
  const picks = () => [...document.querySelectorAll("#tonight .pick")];
  const entryOf = (element) => element?.closest?.("[data-key]");
  let place = 0; // where in the list the person is, and what is there: the list is drawn anew beneath them
  let key = "";
  let moving = false;

  const go = (number) => {
    const all = picks();
    if (!all.length) return;
    place = Math.max(0, Math.min(number, all.length - 1));
    all[place].focus();
    all[place].scrollIntoView({ block: "nearest" });
  };
  const say = (detail) => document.getElementById("acts")?.dispatchEvent(new CustomEvent("act", { detail }));
  const mark = (entry) => {
    entry.classList.add("reviewed");
    say({ act: "mark", trip: entry.dataset.trip, key: entry.dataset.key });
  };

  const answer = (act, entry) => {
    if (!entry) return;
    entry.classList.add("reviewed");
    say({ act, key: entry.dataset.key });
  };

  document.addEventListener("focusin", (event) => {
    if (!event.target.matches("#tonight .pick")) return;
    place = picks().indexOf(event.target);
    key = entryOf(event.target).dataset.key;
    moving = true;
  });
  document.addEventListener("focusout", (event) => {
    // whoever goes elsewhere is not brought back; what was drawn anew is no choice of theirs
    if (event.target.matches("#tonight .pick") && event.relatedTarget) moving = false;
  });

  const keep = () => {
    if (!moving || entryOf(document.activeElement)) return;
    const again = picks().findIndex((pick) => entryOf(pick).dataset.key === key);
    go(again < 0 ? place : again);
  };
  addEventListener("load", () => {
    const tonight = document.getElementById("tonight");
    if (tonight) new MutationObserver(keep).observe(tonight, { childList: true, subtree: true });
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    const focused = entryOf(document.activeElement);
    const name = event.key.toLowerCase();
    if (name === "j") go(focused ? place + 1 : 0);
    else if (name === "k") go(focused ? place - 1 : 0);
    else if (name === "u") say({ act: "undo" });
    else if (name === "?") document.getElementById("keys")?.showModal();
    else if (name === "y" || name === "n") {
      const pairs = ".pair [data-key]:not(.reviewed)";
      answer(name === "y" ? "yes" : "no", focused?.matches(pairs) ? focused : document.querySelector(pairs));
    } else if (name === "x" && focused && !focused.matches(".pair *")) {
      mark(focused);
      go(place + 1);
    } else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.id === "undo") say({ act: "undo" });
    if (button?.id === "show-keys") document.getElementById("keys").showModal();
    if (button?.matches(".answer")) answer(button.matches(".yes") ? "yes" : "no", entryOf(button));
    if (button?.matches(".check, .check-all")) mark(entryOf(button));
  });
})();
