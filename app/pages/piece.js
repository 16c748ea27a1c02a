// HTML that the server has made; where the server has painted it too, it is there already. When it is made anew, what is
// the same stays: what somebody has opened, stands on, or is about to press.
import { h } from "vue";

const OWN = ["open", "src"]; // of the browser, or of a script
const key = (node) => {
  if (node.matches?.(".picture")) return node.firstElementChild?.dataset.src;
  return node.dataset?.key ?? (node.id || undefined);
};
const alike = (one, other) => one?.nodeName === other.nodeName && key(one) === key(other);

function become(here, wanted) {
  if (here.nodeType !== Node.ELEMENT_NODE) {
    if (here.data !== wanted.data) here.data = wanted.data;
    return;
  }
  if (here.matches(".picture")) return; // of the same source
  for (const { name } of [...here.attributes])
    if (!wanted.hasAttribute(name) && !OWN.includes(name)) here.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    if (here.getAttribute(name) !== value) here.setAttribute(name, value);
  fill(here, wanted);
}

// what has a key is looked for further on: what was before it is gone
function fill(here, wanted) {
  let at = here.firstChild;
  for (const next of [...wanted.childNodes]) {
    let found = at;
    if (key(next)) while (found && !alike(found, next)) found = found.nextSibling;
    if (!alike(found, next)) {
      here.insertBefore(next, at);
      continue;
    }
    at = without(at, found);
    become(found, next);
    at = found.nextSibling;
  }
  without(at, null);
}

function without(first, end) {
  while (first !== end) {
    const gone = first;
    first = gone.nextSibling;
    gone.remove();
  }
  return end;
}

export default {
  props: { innerHTML: String, sanitize: Boolean, tag: String },
  render() {
    return h(this.tag);
  },
  mounted() {
    if (!this.$el.firstChild) this.$el.innerHTML = this.innerHTML ?? "";
  },
  watch: {
    innerHTML(now) {
      const made = document.createElement("template");
      made.innerHTML = now;
      fill(this.$el, made.content);
    },
  },
};
