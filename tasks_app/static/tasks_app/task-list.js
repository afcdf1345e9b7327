/** The list of the user's tasks: numbers change in place; when a row is out of date, the list is fetched again. */

import { LiveConnection, freshPage, oneAtATime } from "./live.js";
import { localiseTimes } from "./words.js";

let list = document.getElementById("tasks");
const fetchedFor = new Set(); // tasks missing from this page, for which it was already fetched once

const live = new LiveConnection({
  path: list.dataset.socket,
  onFrame,
  check: refresh,
  checkEvery: 5,
  // A deletion that was missed while the server had lost its broker shows up at the next heartbeat.
  onHeartbeat: () => document.hidden || refreshSoon(),
  shownIn: document.getElementById("connection"),
});

function onFrame(frame) {
  if (frame.type === "gone" && document.getElementById(`task-${frame.task_id}`)) refreshSoon();
  if (frame.type !== "progress") return;
  const row = document.getElementById(`task-${frame.task_id}`);
  if (!row) {
    if (list.dataset.page === "1" && !fetchedFor.has(frame.task_id)) {
      fetchedFor.add(frame.task_id);
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
// A list in the background ignores heartbeats; it catches up when it becomes visible.
document.addEventListener("visibilitychange", () => document.hidden || refreshSoon());
