/** The dashboard of staff: told that something has changed, it fetches itself again and replaces the parts that differ. */

import { LiveConnection, freshPage, oneAtATime } from "./live.js";

const ALWAYS_AFTER = 10_000; // milliseconds: workers go silent and tasks grow old without a frame
const PAUSE = 300;

const dashboard = document.getElementById("dashboard");

const live = new LiveConnection({
  path: dashboard.dataset.socket,
  onFrame: () => refreshSoon(),
  check: refresh,
  checkEvery: 5,
  onHeartbeat: () => refreshSoon(),
  shownIn: document.getElementById("connection"),
});

/** Several frames in a row ask for one fetch; a page in the background for none. */
const refreshSoon = oneAtATime(async () => {
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  if (!document.hidden) await refresh();
});

async function refresh() {
  const fresh = await freshPage();
  for (const part of dashboard.querySelectorAll("[data-part]")) {
    const newer = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (newer && newer.innerHTML !== part.dataset.shown) show(part, newer.innerHTML);
  }
}

/** Replace what a part shows; what was focused or opened in it stays so. */
function show(part, html) {
  const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const opened = part.querySelector("details")?.open;
  part.innerHTML = html;
  part.dataset.shown = html;
  if (opened) part.querySelector("details")?.setAttribute("open", "");
  if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

live.start();
setInterval(refreshSoon, ALWAYS_AFTER);
document.addEventListener("visibilitychange", () => document.hidden || refreshSoon());
