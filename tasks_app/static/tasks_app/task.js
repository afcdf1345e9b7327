/** One task: numbers and text change in place; when the status changes, the server's rendering of it is swapped in. */

import { Gone, LiveConnection, freshPage, oneAtATime } from "./live.js";
import { onRevision, openTranscript } from "./transcript.js";
import { clock, localiseTimes, timeLeft } from "./words.js";

const announcer = document.getElementById("announcer");
const pageTitle = document.title;
let task = document.getElementById("task");

const live = new LiveConnection({
  path: task.dataset.socket,
  task: task.dataset.task,
  onFrame,
  check,
  checkEvery: 3,
  onGone,
  shownIn: document.getElementById("connection"),
});

function onFrame(frame) {
  if (frame.type === "segment") showSegment(frame);
  // An error frame is followed by one with the new status.
  if (frame.type === "progress") showProgress(frame);
  if (frame.type === "change") onRevision(frame.revision);
}

function showProgress({ status, stage, percentage, message, eta_seconds: eta }) {
  if (status !== task.dataset.status) {
    swap();
    return;
  }
  const progress = document.getElementById("progress");
  if (!progress) return;
  progress.value = percentage;
  document.getElementById("percentage").textContent = `${percentage}%`;
  document.title = status === "processing" ? `${percentage}% · ${pageTitle}` : pageTitle;
  showStage(stage);
  // Polling does not include these two.
  if (eta !== undefined) document.getElementById("time-left").textContent = timeLeft(eta);
  if (message !== undefined) {
    const shown = document.getElementById("message");
    shown.textContent = message;
    shown.hidden = !message;
  }
}

function showStage(stage) {
  const heading = document.getElementById("stage");
  if (heading.dataset.stage === stage) return;
  heading.dataset.stage = stage;
  const steps = [...document.getElementById("stages").children];
  const current = steps.findIndex((step) => step.dataset.stage === stage);
  if (current < 0) return;
  steps.forEach((step, place) => {
    step.dataset.state = place < current ? "done" : place === current ? "current" : "ahead";
    step.toggleAttribute("aria-current", false);
  });
  steps[current].setAttribute("aria-current", "step");
  heading.textContent = steps[current].textContent;
  announcer.textContent = steps[current].textContent;
}

/** Insert a segment in order; one with the same index is replaced. */
function showSegment({ index, start, text }) {
  const list = document.getElementById("segments");
  if (!list) return;
  const follow = list.lastElementChild && isFollowed(list.lastElementChild);
  let row = list.querySelector(`[data-index="${Number(index)}"]`);
  if (!row) {
    row = document.getElementById("segment-row").content.firstElementChild.cloneNode(true);
    row.dataset.index = index;
    row.classList.add("new");
    list.insertBefore(row, [...list.children].find((other) => Number(other.dataset.index) > index) ?? null);
  }
  row.querySelector("time").textContent = clock(start);
  row.querySelector("p").textContent = text;
  document.getElementById("text").hidden = false;
  if (follow) row.scrollIntoView({ block: "nearest" });
}

/** The reader has scrolled down to the last line, and wants to see what follows. */
function isFollowed(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return window.scrollY > 0 && top < window.innerHeight && bottom > 0;
}

async function check() {
  // A task that has ended does not change any more.
  if (!document.getElementById("progress")) return;
  const response = await fetch(task.dataset.progress, { headers: { Accept: "application/json" } });
  if (response.status === 401) location.reload();
  if (response.status === 404) throw new Gone();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { status, progress_stage: stage, progress_percentage: percentage } = await response.json();
  const moved = percentage !== document.getElementById("progress").value;
  showProgress({ status, stage, percentage });
  if (moved && status === "processing" && status === task.dataset.status) await fetchText();
}

/** Polling does not include the text: take it from the page. */
async function fetchText() {
  for (const row of (await freshPage()).querySelectorAll("#segments > [data-index]")) {
    const index = Number(row.dataset.index);
    if (!document.querySelector(`#segments > [data-index="${index}"]`)) {
      document.getElementById("segments").append(document.adoptNode(row));
    }
  }
  document.getElementById("text").hidden = !document.querySelector("#segments > [data-index]");
}

/** Replace the task by what the server renders now. */
const swap = oneAtATime(async () => {
  try {
    const fresh = (await freshPage()).getElementById("task");
    if (fresh) adopt(fresh);
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    onGone();
  }
});

function adopt(fresh) {
  const hadFocus = task.contains(document.activeElement);
  task.replaceWith(document.adoptNode(fresh));
  task = fresh;
  if (hadFocus) task.focus({ preventScroll: true });
  document.title = pageTitle;
  const endings = {
    completed: "Completed. The transcript is here.",
    failed: "Transcription failed.",
    cancelled: "Cancelled.",
    queued: "Waiting for its turn.",
    processing: "Preparing.",
  };
  announcer.textContent = endings[task.dataset.status] ?? "";
  begin();
}

function begin() {
  live.saw(task.dataset.task, Number(task.dataset.sequence));
  live.showIn(document.getElementById("connection"));
  localiseTimes(task);
  openPlayer().then((player) => openTranscript(task, player));
}

async function openPlayer() {
  const element = document.getElementById("player");
  return element && new (await import("./player.js")).Player(element);
}

function onGone() {
  live.stop();
  const note = document.createElement("p");
  note.className = "notice";
  note.id = "gone";
  const link = document.createElement("a");
  link.href = task.dataset.list;
  link.textContent = "See your other recordings";
  note.append("This recording was deleted. ", link, ".");
  task.replaceChildren(note);
  announcer.textContent = "This recording was deleted.";
  document.title = pageTitle;
}

begin();
live.start();
