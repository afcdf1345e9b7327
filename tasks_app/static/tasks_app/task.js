/** One task: numbers and text change in place; when the status changes, the server's rendering of it is swapped in. */

import { Gone, LiveConnection, freshPage, oneAtATime } from "./live.js";
import { Player } from "./player.js";
import { onRevision, openTranscript } from "./transcript.js";
import { clock, localiseTimes, timeLeft } from "./words.js";

const announcer = document.getElementById("announcer");
const pageTitle = document.title;
const SEGMENTS_AT_ONCE = 250; // shown within one frame of the screen
/** Segments that came and are not shown yet, and the rows of those that are, by index. */
const waiting = new Map();
const rows = new Map();
let task = document.getElementById("task");
let player = null;

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
  if (frame.type === "follow_up") document.dispatchEvent(new CustomEvent("follow_up", { detail: frame }));
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

/** Show a segment soon; one with the same index is replaced. Thousands come at once to a page that was opened late. */
function showSegment(segment) {
  waiting.set(segment.index, segment);
  if (waiting.size === 1) requestAnimationFrame(showWaiting);
}

/** A part of those that wait, so that the page answers meanwhile. */
function showWaiting() {
  const list = document.getElementById("segments");
  if (!list) {
    waiting.clear();
    return;
  }
  const follow = list.lastElementChild && isFollowed(list.lastElementChild);
  const few = waiting.size <= SEGMENTS_AT_ONCE;
  for (const segment of [...waiting.values()].slice(0, SEGMENTS_AT_ONCE)) {
    waiting.delete(segment.index);
    place(list, segment, few);
  }
  document.getElementById("text").hidden = !rows.size;
  if (follow) list.lastElementChild.scrollIntoView({ block: "nearest" });
  if (waiting.size) requestAnimationFrame(showWaiting);
}

/** Insert a segment in order, or replace the one with the same index. */
function place(list, { index, start, text }, asNew) {
  let row = rows.get(index);
  if (!row) {
    row = document.getElementById("segment-row").content.firstElementChild.cloneNode(true);
    row.dataset.index = index;
    row.classList.toggle("new", asNew);
    let before = list.lastElementChild; // they come in order, as a rule
    while (before && Number(before.dataset.index) > index) before = before.previousElementSibling;
    if (before) before.after(row);
    else list.prepend(row);
    rows.set(index, row);
  }
  row.querySelector("time").textContent = clock(start);
  row.querySelector("p").textContent = text;
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
    if (rows.has(index)) continue;
    document.getElementById("segments").append(document.adoptNode(row));
    rows.set(index, row);
  }
  document.getElementById("text").hidden = !rows.size;
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
  waiting.clear(); // the page has them: their rows were written before they were sent
  rows.clear();
  for (const row of task.querySelectorAll("#segments > [data-index]")) rows.set(Number(row.dataset.index), row);
  live.saw(task.dataset.task, Number(task.dataset.sequence));
  live.showIn(document.getElementById("connection"));
  localiseTimes(task);
  player?.close();
  const element = document.getElementById("player");
  player = element && new Player(element);
  openTranscript(task, player);
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
