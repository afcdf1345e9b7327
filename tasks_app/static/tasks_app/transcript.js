/** The transcript of one task: fetched in portions, followed while it plays, and corrected in place. */

import { Again } from "./again.js";
import { showConflict } from "./conflicts.js";
import { Editor } from "./editor.js";
import { FindReplace } from "./find-replace.js";
import { Follow } from "./follow.js";
import { Lines, cursorIn } from "./lines.js";
import { Refused, Saving } from "./saving.js";
import { Speakers } from "./speakers.js";
import { clock } from "./words.js";

const PIECE = 500; // rows made between two frames
const SKIP = 3; // seconds
const NUDGE = 0.1; // seconds

/** The open transcript, of which there is one at most. @type {TranscriptPage|null} */
let page = null;

/**
 * Open the transcript on the page, if it has one that can be corrected.
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

class TranscriptPage {
  constructor(section, task, player) {
    this.section = section;
    this.player = player;
    this.controller = new AbortController();
    const { signal } = this.controller;
    const lines = new Lines(document.getElementById("lines"), document.getElementById("line-row"));
    this.lines = lines;
    this.saving = new Saving({ lines, address: section.dataset.changes, task });
    this.saved = document.getElementById("saved");
    this.announcer = document.getElementById("announcer");
    this.saving.addEventListener("state", (event) => this.#showState(event.detail.state));
    this.saving.addEventListener("applied", () => this.#onApplied());
    this.saving.addEventListener("conflict", (event) => this.#onConflict(event.detail));
    this.saving.addEventListener("refused", (event) => this.say(event.detail.error.message));
    this.editor = new Editor({ lines, saving: this.saving, player, onLine: () => this.#showLine(), say: (text) => this.say(text) });
    this.follow = new Follow({ lines, player, button: document.getElementById("follow"), isTyping: () => this.editor.isTyping });
    this.find = new FindReplace({
      lines,
      onReplace: (texts, count) => this.#replace(texts, count),
      onPlace: (line, from, to) => this.editor.put(line, from, to),
    });
    this.speakers = new Speakers({
      lines,
      onName: (label, name) => this.editor.change("name", () => ({ label, name })),
      onMerge: (label, into) => this.editor.change("same_speaker", () => ({ label, as_label: into })),
    });
    this.again = new Again({ lines, saving: this.saving, editor: this.editor, signal });
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
    this.editor.ready();
    this.#showTurns();
    this.section.dataset.ready = "true";
    this.#goToHash();
    await this.#offerLeft();
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
    on("undo", () => this.#step("undo"));
    on("redo", () => this.#step("redo"));
    on("find", () => this.find.open());
    on("speakers", () => this.speakers.open());
    on("keys", () => document.getElementById("keys-dialog").showModal());
    on("copy", () => this.#copy());
    on("line-link", () => this.#copyLink());
    on("line-delete", () => this.editor.line && this.editor.remove(this.editor.line));
    this.#toggle("times", signal, (shown) => this.lines.list.classList.toggle("with-times", shown));
    this.#toggle("unsure", signal, (shown) => this.follow.showUnsure(shown));
    for (const button of document.querySelectorAll("[data-nudge]")) {
      button.addEventListener("click", () => this.#nudge(button.dataset.nudge, Number(button.dataset.by)), { signal });
    }
    const select = document.getElementById("line-speaker");
    select.addEventListener("change", () => this.editor.line && this.editor.speaker(this.editor.line, select.value || null), { signal });
    this.lines.list.addEventListener("click", (event) => {
      if (event.target.matches("button.speaker")) this.speakers.open(this.lines.of(event.target)?.speaker);
    }, { signal });
    addEventListener("keydown", (event) => this.#onKey(event), { signal });
    addEventListener("hashchange", () => this.#goToHash(), { signal });
    addEventListener("online", () => this.saving.tryNow(), { signal });
    addEventListener("pagehide", () => this.saving.save({ keepalive: true }), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.saving.typed.size && this.saving.save({ keepalive: true }), { signal });
  }

  /** A button that stays pressed, also at the next visit. */
  #toggle(id, signal, show) {
    const button = document.getElementById(id);
    const set = (pressed) => {
      button.setAttribute("aria-pressed", String(pressed));
      show(pressed);
    };
    set(recalled(id) === "true");
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      remember(id, String(pressed));
      set(pressed);
    }, { signal });
  }

  #onKey(event) {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    const { ctrlKey, metaKey, altKey, shiftKey, code, key } = event;
    const command = (ctrlKey || metaKey) && !altKey;
    const inField = event.target.matches("input, select, textarea");
    const inText = event.target.isContentEditable;
    let work;
    if (command && key.toLowerCase() === "z" && !inField) {
      if (this.editor.isTyping && inText && !shiftKey) return; // the browser takes back what is not saved yet
      work = () => this.#step(shiftKey ? "redo" : "undo");
    } else if (command && key.toLowerCase() === "y" && !inField) work = () => this.#step("redo");
    else if (command && key.toLowerCase() === "h") work = () => this.find.open();
    else if (command && key.toLowerCase() === "s") work = () => this.saving.save();
    else if (key === "F1" || (key === "?" && !inText && !inField)) work = () => document.getElementById("keys-dialog").showModal();
    else if (key === "F9" || key === "MediaPlayPause") work = () => this.player?.toggle();
    else if (key === "F7") work = () => this.player?.skip(-SKIP);
    else if (key === "F8") work = () => this.player?.skip(SKIP);
    else if (altKey && !ctrlKey && !metaKey) work = this.#withAlt(code, shiftKey);
    if (!work) return;
    event.preventDefault();
    work();
  }

  #withAlt(code, shiftKey) {
    const { line } = this.editor;
    const digit = /^Digit(\d)$/.exec(code);
    if (code === "KeyN") return () => this.#nextUnsure();
    if (!line) return undefined;
    if (digit) return () => this.#speakerByNumber(line, Number(digit[1]));
    if (code === "Comma") return () => this.#nudge(shiftKey ? "end" : "start", -NUDGE);
    if (code === "Period") return () => this.#nudge(shiftKey ? "end" : "start", NUDGE);
    if (code === "KeyL") return () => this.#loop(line);
    if (code === "Backspace" && shiftKey) return () => this.editor.remove(line);
    return undefined;
  }

  async #step(kind) {
    const done = await this.editor.change(kind);
    if (!done) return;
    const [line] = done.touched;
    if (line) this.editor.hasFocus ? this.editor.put(line, Infinity) : line.row.scrollIntoView({ block: "nearest" });
    this.say(kind === "undo" ? "Undone." : "Done again.");
  }

  #speakerByNumber(line, number) {
    const speaker = this.lines.people[number - 1];
    if (number === 0) this.editor.speaker(line, null);
    else if (speaker) this.editor.speaker(line, speaker.label);
  }

  #nudge(which, by) {
    if (this.editor.line) this.editor.nudge(this.editor.line, which, by);
  }

  #loop(line) {
    this.looped = this.looped === line ? null : line;
    if (this.looped) this.player?.loop(line.start, line.end);
    else this.player?.loop(null);
    if (this.looped) this.player?.play(line.start);
  }

  #nextUnsure() {
    const { line } = this.editor;
    const found = this.follow.nextUnsure(line, line ? cursorIn(line.p) : -1);
    if (!found) this.say("There are no unsure words.");
    else this.editor.put(found.line, found.from, found.to);
  }

  async #replace(texts, count) {
    const done = await this.editor.change("text", (id) => ({ texts: Object.fromEntries([...texts].map(([line, text]) => [id(line), text])) }));
    if (done) this.say(`${count} replaced.`);
    return Boolean(done);
  }

  async #copy() {
    let speaker;
    const parts = this.lines.order.map((line) => {
      const starts = line.row.classList.contains("starts") && line.speaker !== speaker;
      speaker = line.speaker;
      const before = starts ? `\n\n${this.lines.nameOf(line.speaker)}: ` : line.row.classList.contains("pause") ? "\n" : " ";
      return before + line.p.textContent;
    });
    await this.#toClipboard(parts.join("").trim(), "The text was copied.");
  }

  async #copyLink() {
    const { line } = this.editor;
    if (!line) return;
    const link = new URL(location.href);
    link.hash = `t=${Math.floor(line.start)}`;
    await this.#toClipboard(link.href, "The link was copied.");
  }

  async #toClipboard(text, message) {
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

  #showState(state) {
    if (this.saved.dataset.state === state && state !== "saved") return;
    this.saved.dataset.state = state;
    const words = { saved: "Saved", unsaved: "", away: "No connection. What you type is kept in this browser." };
    if (state !== "login") {
      this.saved.textContent = words[state];
      return;
    }
    const link = document.createElement("a");
    link.href = this.section.dataset.login;
    link.textContent = "Log in again";
    this.saved.replaceChildren("You are logged out. What you typed is kept in this browser. ", link);
  }

  #onApplied() {
    this.#showLine();
    this.follow.refresh();
    if (this.speakers.dialog.open) this.speakers.show();
    this.#showTurns();
  }

  /** The speaker and times of the line with the cursor. */
  #showLine() {
    const { line } = this.editor;
    const group = document.getElementById("this-line");
    const there = line && this.lines.byId.get(line.id) === line;
    group.inert = !there; // its place stays, or the text would move while somebody clicks into it
    this.player?.select(there ? { start: line.start, end: line.end, onChange: (start, end) => this.editor.times(line, start, end) } : null);
    if (!there) return;
    const select = document.getElementById("line-speaker");
    const options = this.lines.people.map((speaker) => new Option(this.lines.nameOf(speaker.label), speaker.label));
    select.replaceChildren(...options, new Option("Somebody new", ""));
    select.value = this.lines.speakers.get(line.speaker)?.same_as ?? "";
    document.getElementById("line-start").textContent = tenths(line.start);
    document.getElementById("line-end").textContent = tenths(line.end);
  }

  #showTurns() {
    this.player?.setTurns(this.lines.order.map(({ start, end, speaker }) => ({ start, end, colour: this.lines.speakers.get(speaker)?.colour ?? 0 })));
  }


  #onConflict({ line = this.lines.order[0], text, error }) {
    const theirs = error.theirs.map((segment) => segment.text);
    showConflict({
      line,
      mine: text,
      theirs,
      onChoice: async (keep) => {
        try {
          await this.#resolve(line, text, error, keep);
        } catch (refused) {
          if (!(refused instanceof Refused)) throw refused;
          this.say(refused.message);
        }
      },
    });
  }

  async #resolve(line, text, { yours, theirs }, keep) {
    if (yours) await this.saving.yieldTo(line, yours.changed_in);
    if (keep === "theirs") return;
    let target = this.lines.at(yours ? yours.start : line.start);
    if (!theirs.length) {
      const back = await this.editor.change("undo", () => ({ revision: yours.changed_in }));
      target = back?.touched.find((other) => other.text === yours.text);
    } else if (theirs.length > 1) {
      const others = theirs.slice(1).map(({ id }) => this.lines.byId.get(id)).filter(Boolean);
      await this.editor.change("delete", (id) => ({ segments: others.map(id) }));
    }
    if (!target) return;
    target.p.textContent = text;
    this.saving.onTyped(target);
    await this.saving.save();
    this.editor.put(target, Infinity);
  }

  /** Corrections of an earlier visit that did not reach the server. */
  async #offerLeft() {
    const left = await this.saving.left();
    const note = document.getElementById("kept");
    if (!left.length) return;
    const text = document.createElement("p");
    text.textContent = left.length === 1
      ? `A correction was not saved at your last visit: “${left[0].text}”`
      : `${left.length} corrections were not saved at your last visit. The first: “${left[0].text}”`;
    const save = document.createElement("button");
    save.type = "button";
    save.className = "button";
    save.textContent = left.length === 1 ? "Save it now" : "Save them now";
    save.addEventListener("click", async () => {
      note.hidden = true;
      await this.saving.takeUp(left);
    });
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "button quiet";
    drop.textContent = "Throw away";
    drop.addEventListener("click", () => {
      note.hidden = true;
      this.saving.forgetLeft();
    });
    const answers = document.createElement("div");
    answers.className = "answers";
    answers.append(save, drop);
    note.replaceChildren(text, answers);
    note.hidden = false;
  }
}

/** @param {number} seconds @returns {string} `1:02.3` */
function tenths(seconds) {
  const all = Math.round(seconds * 10);
  return `${clock(Math.floor(all / 10))}.${all % 10}`;
}

function recalled(name) {
  try {
    return localStorage.getItem(`show:${name}`);
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`show:${name}`, value);
  } catch {
    // It holds until the page is left.
  }
}
