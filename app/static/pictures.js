// Pictures are asked for as they come near the window; what a browser calls lazy asks for a list's pictures four
// windows ahead.
(() => {
  const near = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        target.src = target.dataset.src;
      }
    },
    { rootMargin: "200px" },
  );
  const watch = () => document.querySelectorAll("img[data-src]:not([src])").forEach((picture) => near.observe(picture));
  new MutationObserver(watch).observe(document, { childList: true, subtree: true });
  document.addEventListener(
    "error",
    ({ target }) => {
      if (target.matches?.(".picture img")) target.parentElement.classList.add("missing");
    },
    true,
  );
  // those that the network was away from are asked for once more when it is back
  const again = () => {
    for (const picture of document.querySelectorAll(".picture.missing img")) {
      picture.parentElement.classList.remove("missing");
      picture.src = picture.getAttribute("src");
    }
  };
  addEventListener("load", () => setTimeout(() => window.socket?.on("disconnect", () => window.socket.once("connect", again))));
})();
