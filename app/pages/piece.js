// HTML that the server has made; where the server has painted it too, it is there already
import { h } from "vue";

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
      this.$el.innerHTML = now;
    },
  },
};
