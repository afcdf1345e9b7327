/** What stands above every page (messages of the administrators, the paused queue) is kept up to date while it is open. */

const EVERY = 15_000; // milliseconds

const notices = document.getElementById("notices");
let asked = Date.now();

async function refresh() {
  if (document.hidden) return;
  asked = Date.now();
  try {
    const response = await fetch(notices.dataset.address);
    if (!response.ok) return;
    const fresh = document.createElement("template");
    fresh.innerHTML = await response.text();
    // Only what differs: a screen reader reads out what is put in here.
    if (fresh.innerHTML !== notices.innerHTML) notices.replaceChildren(fresh.content);
  } catch {
    // It is asked again.
  }
}

// Not all open pages at the same moment.
setInterval(refresh, EVERY * (0.9 + Math.random() / 5));
document.addEventListener("visibilitychange", () => Date.now() - asked > EVERY && refresh());
