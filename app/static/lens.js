// Two marks in the picture that the player shows, by which a lens is measured: by a click, or by the sliders.
const marks = (form) => [form.elements.left, form.elements.right];

function draw(form) {
  const canvas = form.querySelector("canvas");
  if (!form.picture) return;
  const pen = canvas.getContext("2d");
  pen.drawImage(form.picture, 0, 0, canvas.width, canvas.height);
  for (const mark of marks(form)) {
    const x = mark.value * canvas.width;
    pen.fillStyle = "#000";
    pen.fillRect(x - 2, 0, 4, canvas.height);
    pen.fillStyle = "#fff";
    pen.fillRect(x - 1, 0, 2, canvas.height);
  }
}

async function take(form) {
  const video = document.querySelector("dashcam-player")?.screens[0]?.video;
  if (!video?.videoWidth) return;
  const canvas = form.querySelector("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  form.picture = await createImageBitmap(video);
  canvas.hidden = false;
  draw(form);
}

document.addEventListener("click", (event) => {
  const form = event.target.closest?.(".lens form");
  if (!form) return;
  if (event.target.matches("[data-picture]")) take(form);
  if (!event.target.matches("canvas")) return;
  const at = event.offsetX / event.target.clientWidth;
  const [left, right] = marks(form);
  const nearer = Math.abs(left.value - at) <= Math.abs(right.value - at) ? left : right;
  nearer.value = at;
  draw(form);
});
document.addEventListener("input", (event) => event.target.form?.matches(".lens form") && draw(event.target.form));
