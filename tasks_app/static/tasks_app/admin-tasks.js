/** The admin's list of tasks, and the page of one: what changes is shown in place; rows, ticks and forms stay. */

import { LiveConnection, freshPage, oneAtATime } from "./live.js";

const PAUSE = 300; // milliseconds
const ROWS = "#result_list tbody tr";

/** Everything on a page that may change, each under a name of its own. @param {Document} page */
function changing(page) {
  const found = new Map();
  for (const row of page.querySelectorAll(ROWS)) {
    const task = row.querySelector("input.action-select")?.value;
    row.querySelectorAll("[class^=field-]").forEach((cell) => found.set(`${task} ${cell.className}`, cell));
  }
  page.querySelectorAll("#task_form .form-row .readonly").forEach((field, place) => found.set(`field ${place}`, field));
  return found;
}

async function refresh() {
  const fresh = changing(await freshPage());
  for (const [name, shown] of changing(document)) {
    const newer = fresh.get(name);
    if (newer && newer.innerHTML !== shown.innerHTML) shown.innerHTML = newer.innerHTML;
  }
}

const refreshSoon = oneAtATime(async () => {
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  if (!document.hidden) await refresh();
});

if (changing(document).size) {
  new LiveConnection({
    path: "/ws/staff/",
    onFrame: () => refreshSoon(),
    check: refresh,
    checkEvery: 5,
    onHeartbeat: () => refreshSoon(),
    shownIn: null,
  }).start();
  document.addEventListener("visibilitychange", () => document.hidden || refreshSoon());
}
