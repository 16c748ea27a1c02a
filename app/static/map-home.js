// Where trips begin and end, the home zones, and the circle that the page around the map is about to draw.
import { leaflet as L } from "leaflet";

const circle = ([lat, lon, radius], more = {}) =>
  L.circle([lat, lon], { radius, interactive: false, color: "#1d4ed8", weight: 2, fillOpacity: 0.12, ...more });

window.dashcamHome = (map, { zones, ends }) => {
  for (const end of ends)
    L.circleMarker(end, { radius: 4, interactive: false, stroke: false, fillColor: "#0f766e", fillOpacity: 0.35 }).addTo(map);
  for (const zone of zones) circle(zone).addTo(map);
  let draft = null;
  const tell = ({ lat, lng }) => {
    const at = L.latLng(lat, lng).wrap();
    parent.postMessage({ home: [at.lat.toFixed(5), at.lng.toFixed(5)] }, location.origin);
  };
  map.on("click", (event) => tell(event.latlng));
  addEventListener("message", (event) => {
    if (event.origin !== location.origin) return;
    if (event.data?.middle) tell(map.getCenter());
    if (!event.data?.circle) return;
    draft?.remove();
    draft = circle(event.data.circle, { color: "#b45309", dashArray: "6 4" }).addTo(map);
    if (event.data.move) map.fitBounds(draft.getBounds().pad(1), { animate: false });
  });
  parent.postMessage({ ready: true }, location.origin);
};
