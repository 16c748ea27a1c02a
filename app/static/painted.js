// The server has painted the page as Vue would build it: Vue takes over what is there, and builds nothing anew. What
// waits for scripts waits no longer then.
{
  const built = () => {
    for (const waiting of document.querySelectorAll("#app [inert]")) waiting.inert = false;
    dispatchEvent(new Event("dashcam-built"));
  };
  const { createSSRApp } = Vue;
  window.Vue = {
    ...Vue,
    createApp: (...page) => {
      const app = createSSRApp(...page);
      const mount = app.mount;
      app.mount = (where) => {
        const root = mount(where);
        built();
        return root;
      };
      return app;
    },
  };
}
