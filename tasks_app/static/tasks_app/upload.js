/** Uploading: files are chosen or dropped, checked, and sent one after the other, one POST each. */

import { fileSize } from "./words.js";

const form = document.getElementById("upload-form");
const input = document.getElementById("id_files");
const drop = document.getElementById("drop");
const list = document.getElementById("files");
const start = document.getElementById("start");
const state = document.getElementById("upload-state");
const rowTemplate = document.getElementById("file-row");
const MAY_PASS = [401, 413, 429]; // log in, delete something or wait, and try again
const maxBytes = Number(form.dataset.maxBytes);

/**
 * @typedef {object} Upload
 * @property {File} file
 * @property {HTMLElement} row
 * @property {"waiting"|"sending"|"done"|"refused"|"broken"} state refused: the file or its options are wrong; broken: worth another try
 * @property {XMLHttpRequest} [request]
 * @property {string} [url] page of its task
 */

/** @type {Upload[]} */
let uploads = [];
let sending = false;

// Choosing -----------------------------------------------------------------------------------------------------------

function add(files) {
  for (const file of files) {
    const same = ({ file: other }) =>
      other.name === file.name && other.size === file.size && other.lastModified === file.lastModified;
    if (uploads.some(same)) continue;
    const row = rowTemplate.content.firstElementChild.cloneNode(true);
    const upload = { file, row, state: "waiting" };
    row.querySelector(".file-name").textContent = file.name;
    row.querySelector(".file-size").textContent = fileSize(file.size);
    row.querySelector("[data-action=remove]").addEventListener("click", () => remove(upload));
    row.querySelector("[data-action=again]").addEventListener("click", () => {
      show(upload, "waiting", "Waiting");
      sendAll();
    });
    uploads.push(upload);
    list.append(row);
    if (file.size > maxBytes) refuse(upload, `The file is larger than ${form.dataset.maxMegabytes} MB. Compress it or split it.`);
    else if (file.size === 0) refuse(upload, "The file is empty, or it is a folder.");
    else show(upload, "waiting", "");
  }
  // `uploads` keeps the files; the input would only hold those chosen last.
  input.value = "";
  update();
  if (sending) sendAll();
}

function remove(upload) {
  uploads = uploads.filter((other) => other !== upload);
  const next = upload.row.nextElementSibling ?? upload.row.previousElementSibling;
  upload.row.remove();
  upload.request?.abort();
  (next?.querySelector("[data-action=remove]") ?? input).focus();
  update();
}

function refuse(upload, message) {
  show(upload, "refused", message);
}

/** @param {Upload} upload @param {Upload["state"]} to @param {string} words */
function show(upload, to, words) {
  upload.state = to;
  upload.row.dataset.state = to;
  upload.row.querySelector("progress").hidden = to !== "sending";
  upload.row.querySelector(".file-state").textContent = words;
  upload.row.querySelector("[data-action=again]").hidden = to !== "broken";
  const button = upload.row.querySelector("[data-action=remove]");
  button.textContent = to === "sending" ? "Cancel" : "Remove";
  button.setAttribute("aria-label", `${button.textContent} ${upload.file.name}`);
}

function update() {
  list.hidden = !uploads.length;
  input.required = !uploads.length;
  const ready = uploads.filter((upload) => upload.state === "waiting").length;
  start.disabled = sending;
  start.textContent = ready > 1 && !sending ? `Transcribe ${ready} files` : "Transcribe";
}

// Sending ------------------------------------------------------------------------------------------------------------

async function sendAll() {
  if (sending) return;
  sending = true;
  update();
  list.scrollIntoView({ block: "nearest" }); // on a phone the list is far above the button
  for (let upload; (upload = uploads.find((other) => other.state === "waiting")); ) await send(upload);
  sending = false;
  update();
  leave();
}

/** @param {Upload} upload */
function send(upload) {
  const body = new FormData(form); // with the CSRF token
  body.delete("files");
  body.append("files", upload.file);
  const progress = upload.row.querySelector("progress");
  progress.value = 0;
  progress.setAttribute("aria-label", `Sending ${upload.file.name}`);
  show(upload, "sending", "Sending…");
  state.textContent = `Sending ${upload.file.name}`;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch() does not report upload progress
    upload.request = request;
    request.open("POST", form.dataset.sendTo);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => {
      const percentage = Math.floor((100 * loaded) / total);
      progress.value = percentage;
      upload.row.querySelector(".file-state").textContent = percentage < 100 ? `${percentage}%` : "Checking…";
    };
    request.onload = () => {
      onResponse(upload, request);
      resolve();
    };
    request.onerror = () => {
      show(upload, "broken", "The connection was lost.");
      resolve();
    };
    request.onabort = resolve;
    request.send(body);
  });
}

function onResponse(upload, { status, response }) {
  if (status === 201) {
    upload.url = response.url;
    show(upload, "done", "Queued");
    const link = document.createElement("a");
    link.href = response.url;
    link.textContent = upload.file.name;
    upload.row.querySelector(".file-name").replaceChildren(link);
  } else if (response?.error && status < 500 && !MAY_PASS.includes(status)) {
    refuse(upload, response.error.message);
  } else {
    show(upload, "broken", response?.error?.message ?? "The upload was not accepted. Reload the page and try again.");
  }
}

/** Once every file is uploaded, go to the new task, or to the list if there are several. */
function leave() {
  const done = uploads.filter((upload) => upload.state === "done");
  const left = uploads.length - done.length;
  state.textContent = left ? `${done.length} of ${uploads.length} uploaded.` : "";
  if (!left && done.length) location.assign(done.length === 1 ? done[0].url : form.dataset.list);
}

// The page -----------------------------------------------------------------------------------------------------------

const model = document.getElementById("id_model");
const least = document.getElementById("id_min_speakers");
const most = document.getElementById("id_max_speakers");

/** Check what the server would otherwise refuse only after the whole file was sent. */
function checkOptions() {
  const englishOnly = model.value.endsWith(".en");
  for (const id of ["id_language", "id_translate"]) document.getElementById(id).disabled = englishOnly;
  document.getElementById("english-only").hidden = !englishOnly;
  const speakers = document.getElementById("id_diarize").checked;
  least.disabled = most.disabled = !speakers;
  const crossed = least.value && most.value && Number(least.value) > Number(most.value);
  most.setCustomValidity(crossed ? "This must not be smaller than the minimum." : "");
}

input.addEventListener("change", () => add(input.files));
form.addEventListener("change", checkOptions);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  sendAll();
});
addEventListener("beforeunload", (event) => sending && event.preventDefault());

let depth = 0; // dragenter and dragleave fire for every element on the way
document.addEventListener("dragenter", () => drop.toggleAttribute("data-over", ++depth > 0));
document.addEventListener("dragleave", () => drop.toggleAttribute("data-over", --depth > 0));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  drop.removeAttribute("data-over");
  add(event.dataTransfer.files);
});

checkOptions();
