/** The transcript of one task: fetched in portions, read, followed while it plays; corrected by those who may. */

import { Correcting } from "./correcting.js";
import { Follow } from "./follow.js";
import { Lines, cursorIn, placesOf } from "./lines.js";
import { recalled, remember } from "./preferences.js";
import { Saving } from "./saving.js";

const PIECE = 500; // rows made between two frames
const SKIP = 3; // seconds

/** The open transcript, of which there is one at most. @type {TranscriptPage|null} */
let page = null;

/**
 * Open the transcript on the page, if there is one.
 * @param {HTMLElement} task
 * @param {EventTarget|null} player
 */
export async function openTranscript(task, player) {
  page?.close();
  page = null;
  const section = document.getElementById("transcript");
  if (!document.getElementById("line-row")) return;
  page = new TranscriptPage(section, task.dataset.task, player);
  await page.load();
}

/** The server says that the transcript is at this revision. @param {number} revision */
export function onRevision(revision) {
  page?.onRevision(revision);
}

export class TranscriptPage {
  constructor(section, task, player) {
    this.section = section;
    this.player = player;
    this.controller = new AbortController();
    const { signal } = this.controller;
    const mayChange = "mayChange" in section.dataset;
    const lines = new Lines(document.getElementById("lines"), document.getElementById("line-row"), mayChange);
    this.lines = lines;
    this.saving = new Saving({ lines, address: section.dataset.changes, task });
    this.saved = document.getElementById("saved");
    this.saving.addEventListener("applied", () => this.#onApplied());
    this.correcting = mayChange ? new Correcting(this) : null;
    this.follow = new Follow({
      lines,
      player,
      button: document.getElementById("follow"),
      isTyping: () => Boolean(this.correcting?.editor.isTyping),
    });
    this.#listen(signal);
  }

  close() {
    if (this.saving.typed.size) this.saving.save();
    this.controller.abort();
    this.follow.close();
    this.saving.close();
  }

  /** Fetch all text, with which one can read and correct, and then the words with their times. */
  async load() {
    for await (const { revision, speakers, segments } of this.#portions("words=0&count=2500")) {
      this.saving.revision ||= revision;
      this.lines.setSpeakers(speakers);
      for (let first = 0; first < segments.length; first += PIECE) {
        this.lines.append(segments.slice(first, first + PIECE));
        await new Promise(requestAnimationFrame);
      }
    }
    if (this.controller.signal.aborted) return;
    await this.saving.catchUp(); // what changed while the portions came
    this.loaded = true;
    this.correcting?.editor.ready();
    this.#showTurns();
    this.section.dataset.ready = "true";
    this.#goToHash();
    await this.correcting?.offerLeft();
    for await (const { segments } of this.#portions("count=1000")) this.lines.setWords(segments);
    this.follow.refresh();
    this.section.dataset.words = "true";
  }

  /** While one portion is put on the page, the next is on its way. @param {string} asked */
  async *#portions(asked) {
    for (let next = this.#portion(asked); next; ) {
      const portion = await next;
      if (!portion || this.controller.signal.aborted) return;
      next = portion.more ? this.#portion(`${asked}&after=${portion.segments.at(-1).id}`) : null;
      yield portion;
    }
  }

  async #portion(asked) {
    for (let wait = 1000; !this.controller.signal.aborted; wait = Math.min(2 * wait, 10_000)) {
      try {
        const response = await fetch(`${this.section.dataset.segments}?${asked}`);
        if (response.ok) return await response.json();
        if (response.status < 500) return null; // gone, or logged out: the page's connection notices
      } catch {
        // The network is away.
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    return null;
  }

  onRevision(revision) {
    if (this.loaded && revision > this.saving.revision) this.saving.catchUp();
    this.saving.tryNow();
  }

  /** @param {string} message */
  say(message) {
    this.saved.dataset.state = "said";
    this.saved.textContent = message;
  }

  // Buttons, keys, links -----------------------------------------------------------------------------------------------

  #listen(signal) {
    const on = (id, work) => document.getElementById(id).addEventListener("click", work, { signal });
    on("keys", () => document.getElementById("keys-dialog").showModal());
    on("copy", () => this.#copy());
    this.#toggle("times", signal, (shown) => this.lines.list.classList.toggle("with-times", shown));
    this.#toggle("unsure", signal, (shown) => this.follow.showUnsure(shown));
    this.lines.list.addEventListener("click", (event) => this.#onClick(event), { signal });
    addEventListener("keydown", (event) => this.#onKey(event), { signal });
    addEventListener("hashchange", () => this.#goToHash(), { signal });
  }

  /** A button that stays pressed, also at the next visit. */
  #toggle(id, signal, show) {
    const button = document.getElementById(id);
    const set = (pressed) => {
      button.setAttribute("aria-pressed", String(pressed));
      show(pressed);
    };
    set(recalled(`show:${id}`) === "true");
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      remember(`show:${id}`, String(pressed));
      set(pressed);
    }, { signal });
  }

  /** Play from the word under the pointer. */
  #onClick(event) {
    const line = this.lines.of(event.target);
    if (!line || event.altKey || event.detail > 1) return;
    if (event.target.closest("time")) {
      this.player?.play(line.start);
    } else if (event.target === line.p && getSelection().isCollapsed) {
      const at = cursorIn(line.p);
      const place = placesOf(line).findLast(({ from }) => from <= at);
      this.player?.play(place ? place.word[1] : line.start);
      if (this.correcting) this.correcting.editor.playedByClick = true;
    }
  }

  #onKey(event) {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    const { key, target } = event;
    const inText = target.isContentEditable || target.matches("input, select, textarea");
    let work;
    if (key === "F1" || (key === "?" && !inText)) work = () => document.getElementById("keys-dialog").showModal();
    else if (key === "F9" || key === "MediaPlayPause") work = () => this.player?.toggle();
    else if (key === "F7") work = () => this.player?.skip(-SKIP);
    else if (key === "F8") work = () => this.player?.skip(SKIP);
    if (!work) return;
    event.preventDefault();
    work();
  }

  async #copy() {
    let speaker;
    const parts = this.lines.order.map((line) => {
      const starts = line.row.classList.contains("starts") && line.speaker !== speaker;
      speaker = line.speaker;
      const before = starts ? `\n\n${this.lines.nameOf(line.speaker)}: ` : line.row.classList.contains("pause") ? "\n" : " ";
      return before + line.p.textContent;
    });
    await this.toClipboard(parts.join("").trim(), "The text was copied.");
  }

  /** @param {string} text @param {string} message said when it is there */
  async toClipboard(text, message) {
    try {
      await navigator.clipboard.writeText(text);
      this.say(message);
    } catch {
      this.say("The browser does not allow copying. Select the text and copy it.");
    }
  }

  #goToHash() {
    const found = /^#t=(\d+(?:\.\d+)?)/.exec(location.hash);
    if (!found) return;
    const time = Number(found[1]);
    const line = this.lines.at(time) ?? this.lines.order[0];
    line?.row.scrollIntoView({ block: "center" });
    line?.row.classList.add("asked");
    this.player?.play(time);
  }

  // What is shown ----------------------------------------------------------------------------------------------------

  #onApplied() {
    this.section.toggleAttribute("data-empty", !this.lines.order.length);
    this.follow.refresh();
    this.#showTurns();
  }

  #showTurns() {
    this.player?.setTurns(this.lines.order.map(({ start, end, speaker }) => ({ start, end, colour: this.lines.speakers.get(speaker)?.colour ?? 0 })));
  }
}
