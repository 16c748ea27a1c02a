// Pictures are asked for as the window shows them; once the page is scrolled also those that are about to come. What a
// browser calls lazy asks for a list's pictures four windows ahead.
(() => {
  const asking = (rootMargin) =>
    new IntersectionObserver(
      (seen, its) => {
        for (const { isIntersecting, target } of seen) {
          if (!isIntersecting) continue;
          its.unobserve(target);
          target.src = target.dataset.src;
        }
      },
      { rootMargin },
    );
  let near = asking("0px");
  const watch = () => document.querySelectorAll("img[data-src]:not([src])").forEach((picture) => near.observe(picture));
  new MutationObserver(watch).observe(document, { childList: true, subtree: true });
  const lookAhead = () => {
    near.disconnect();
    near = asking("400px");
    watch();
  };
  addEventListener("scroll", lookAhead, { once: true, capture: true, passive: true });
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
