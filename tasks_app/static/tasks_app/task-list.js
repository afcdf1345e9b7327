/** The list of one's own tasks: numbers change in place; where a row is out of date, the server renders the list again. */

import { LiveConnection, freshPage, oneAtATime } from "./live.js";
import { localiseTimes } from "./words.js";

let list = document.getElementById("tasks");
const asked = new Set(); // tasks that are not on this page, for which it was fetched once

const live = new LiveConnection({
  path: list.dataset.socket,
  onFrame,
  check: refresh,
  checkEvery: 5,
  // What was missed while the server's own connections were away, as a deletion, is seen at the next heartbeat.
  onHeartbeat: () => document.hidden || refreshSoon(),
  shownIn: document.getElementById("connection"),
});

function onFrame(frame) {
  if (frame.type === "gone" && document.getElementById(`task-${frame.task_id}`)) refreshSoon();
  if (frame.type !== "progress") return;
  const row = document.getElementById(`task-${frame.task_id}`);
  if (!row) {
    if (list.dataset.page === "1" && !asked.has(frame.task_id)) {
      asked.add(frame.task_id);
      refreshSoon();
    }
    return;
  }
  if (row.dataset.status !== frame.status || row.dataset.stage !== frame.stage) {
    refreshSoon();
    return;
  }
  const progress = row.querySelector("progress");
  if (!progress) return;
  progress.value = frame.percentage;
  row.querySelector("[data-percentage]").textContent = `${frame.percentage}%`;
}

/** Several frames in a row ask for one fetch. */
const refreshSoon = oneAtATime(async () => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  await refresh();
});

async function refresh() {
  const fresh = (await freshPage()).getElementById("tasks");
  if (!fresh) return;
  const focused = document.activeElement?.closest("[data-task]")?.id;
  list.replaceWith(document.adoptNode(fresh));
  list = fresh;
  adopt();
  if (focused) document.getElementById(focused)?.querySelector("a").focus();
}

function adopt() {
  localiseTimes(list);
  for (const row of list.querySelectorAll("[data-task]")) live.saw(row.dataset.task, Number(row.dataset.sequence));
}

adopt();
live.start();
// A list that was left in the background does not look at every heartbeat.
document.addEventListener("visibilitychange", () => document.hidden || refreshSoon());
