// Pictures are asked for as they come near the window; what a browser calls lazy asks for a list's pictures four
// windows ahead. One that is missing is not asked for once more while the page takes the place of its painting.
(() => {
  const PAINTED_MS = 5000;
  const missing = new Set();
  const near = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        if (missing.has(target.dataset.src)) target.parentElement.classList.add("missing");
        else target.src = target.dataset.src;
      }
    },
    { rootMargin: "200px" },
  );
  const watch = (node) => {
    if (node.matches?.("img[data-src]")) near.observe(node);
    node.querySelectorAll?.("img[data-src]").forEach((picture) => near.observe(picture));
  };
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(watch)))
    .observe(document, { childList: true, subtree: true });
  document.addEventListener(
    "error",
    ({ target }) => {
      if (!target.matches?.(".picture img")) return;
      target.parentElement.classList.add("missing");
      if (performance.now() < PAINTED_MS) missing.add(target.dataset.src);
    },
    true,
  );
  setTimeout(() => missing.clear(), PAINTED_MS);
})();
