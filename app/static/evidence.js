// While a bundle of evidence is made, how far it is: the browser has nothing of it before it is whole.
const LOOK_MS = 1000;
const PATIENCE = 5;

async function watch(form, ticket) {
  const [bar, said, button] = [".progress", ".making", "button"].map((one) => form.querySelector(one));
  const say = (words) => said.textContent === words || (said.textContent = words);
  button.disabled = true;
  let seen = false;
  let answer = null;
  let made = false;
  for (let missed = 0; missed < PATIENCE && !made; missed += 1) {
    await new Promise((go) => setTimeout(go, LOOK_MS));
    answer = await fetch(`/export/evidence/progress?ticket=${ticket}`).catch(() => null);
    if (answer?.ok) {
      const { percent } = await answer.json();
      bar.hidden = false;
      bar.ariaValueNow = percent ?? 0;
      bar.firstChild.style.width = `${percent ?? 0}%`;
      say(percent === null ? "Another bundle is being made first." : "It is being made, and comes when it is whole.");
      seen = true;
      missed = -1;
      made = percent === 100;
    } else if (answer && seen) break;
  }
  bar.hidden = true;
  if (made) say("It is made: your browser has it.");
  else if (answer) say("It was not made: take it out once more.");
  else say("The server does not answer: take it out once more when it is back.");
  button.disabled = false;
}

// before app.js leaves out what is empty
const begin = (event) => {
  if (!event.target.matches("form.evidence")) return;
  const ticket = crypto.getRandomValues(new Uint32Array(4)).join("-");
  event.target.elements.ticket.value = ticket;
  watch(event.target, ticket);
};
document.addEventListener("submit", begin, true);
