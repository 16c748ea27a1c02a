// The circle of the form is the circle on the map: a click there fills the fields, and what is written moves it.
const formOf = () => document.querySelector(".home-zone form");
const mapOf = () => document.querySelector("iframe.map")?.contentWindow;

function show(move) {
  const { lat, lon, radius_m } = formOf().elements;
  formOf().querySelector("output").value = `${Number(radius_m.value).toLocaleString("en")} m`;
  if (!lat.value || !lon.value) return;
  const circle = [lat, lon, radius_m].map((field) => Number(field.value));
  mapOf()?.postMessage({ circle, move }, location.origin);
}

function put(lat, lon, move) {
  const fields = formOf().elements;
  [fields.lat.value, fields.lon.value] = [lat, lon];
  show(move);
}

addEventListener("click", (event) => {
  const { home, middle } = event.target.closest?.("button")?.dataset ?? {};
  if (home) put(...home.split(","), true);
  if (middle !== undefined) mapOf()?.postMessage({ middle: true }, location.origin);
});
addEventListener("input", (event) => event.target.form === formOf() && show(false));
addEventListener("message", (event) => {
  if (event.origin !== location.origin || !formOf()) return;
  if (event.data?.ready) show(true);
  if (event.data?.home) put(...event.data.home, false);
});
