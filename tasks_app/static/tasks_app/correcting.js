/** What a person who may change a transcript does with it: tools, keys, conflicts, and what an earlier visit left. */

import { Again } from "./again.js";
import { showConflict } from "./conflicts.js";
import { Editor } from "./editor.js";
import { FindReplace } from "./find-replace.js";
import { cursorIn } from "./lines.js";
import { Refused } from "./saving.js";
import { Speakers } from "./speakers.js";
import { clock } from "./words.js";

const NUDGE = 0.1; // seconds

export class Correcting {
  /** @param {import("./transcript.js").TranscriptPage} page */
  constructor(page) {
    const { lines, saving, player, controller } = page;
    Object.assign(this, { page, lines, saving, player });
    const { signal } = controller;
    saving.addEventListener("state", (event) => this.#showState(event.detail.state));
    saving.addEventListener("applied", () => this.#onApplied());
    saving.addEventListener("conflict", (event) => this.#onConflict(event.detail));
    saving.addEventListener("refused", (event) => page.say(event.detail.error.message));
    this.editor = new Editor({ lines, saving, player, onLine: () => this.#showLine(), say: (text) => page.say(text) });
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
    this.again = new Again({ lines, saving, editor: this.editor, signal });
    this.#listen(signal);
  }

  // Buttons and keys -------------------------------------------------------------------------------------------------

  #listen(signal) {
    const on = (id, work) => document.getElementById(id).addEventListener("click", work, { signal });
    on("undo", () => this.#step("undo"));
    on("redo", () => this.#step("redo"));
    on("find", () => this.find.open());
    on("speakers", () => this.speakers.open());
    on("line-link", () => this.#copyLink());
    on("line-delete", () => this.editor.line && this.editor.remove(this.editor.line));
    for (const button of document.querySelectorAll("[data-nudge]")) {
      button.addEventListener("click", () => this.#nudge(button.dataset.nudge, Number(button.dataset.by)), { signal });
    }
    const select = document.getElementById("line-speaker");
    select.addEventListener("change", () => this.editor.line && this.editor.speaker(this.editor.line, select.value || null), { signal });
    this.lines.list.addEventListener("click", (event) => {
      if (event.target.matches("button.speaker")) this.speakers.open(this.lines.of(event.target)?.speaker);
    }, { signal });
    addEventListener("keydown", (event) => this.#onKey(event), { signal });
    addEventListener("online", () => this.saving.tryNow(), { signal });
    addEventListener("pagehide", () => this.saving.save({ keepalive: true }), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.saving.typed.size && this.saving.save({ keepalive: true }), { signal });
  }

  #onKey(event) {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    const { ctrlKey, metaKey, altKey, shiftKey, code, key } = event;
    const command = (ctrlKey || metaKey) && !altKey;
    const inField = event.target.matches("input, select, textarea");
    let work;
    if (command && key.toLowerCase() === "z" && !inField) {
      if (this.editor.isTyping && event.target.isContentEditable && !shiftKey) return; // the browser takes back what is not saved yet
      work = () => this.#step(shiftKey ? "redo" : "undo");
    } else if (command && key.toLowerCase() === "y" && !inField) work = () => this.#step("redo");
    else if (command && key.toLowerCase() === "h") work = () => this.find.open();
    else if (command && key.toLowerCase() === "s") work = () => this.saving.save();
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
    this.page.say(kind === "undo" ? "Undone." : "Done again.");
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
    const found = this.page.follow.nextUnsure(line, line ? cursorIn(line.p) : -1);
    if (!found) this.page.say("There are no unsure words.");
    else this.editor.put(found.line, found.from, found.to);
  }

  async #replace(texts, count) {
    const done = await this.editor.change("text", (id) => ({ texts: Object.fromEntries([...texts].map(([line, text]) => [id(line), text])) }));
    if (done) this.page.say(`${count} replaced.`);
    return Boolean(done);
  }

  async #copyLink() {
    const { line } = this.editor;
    if (!line) return;
    const link = new URL(location.href);
    link.hash = `t=${Math.floor(line.start)}`;
    await this.page.toClipboard(link.href, "The link was copied.");
  }

  // What is shown ----------------------------------------------------------------------------------------------------

  #showState(state) {
    if (this.page.saved.dataset.state === state && state !== "saved") return;
    this.page.saved.dataset.state = state;
    const words = { saved: "Saved", unsaved: "", away: "No connection. What you type is kept in this browser." };
    if (state !== "login") {
      this.page.saved.textContent = words[state];
      return;
    }
    const link = document.createElement("a");
    link.href = this.page.section.dataset.login;
    link.textContent = "Log in again";
    this.page.saved.replaceChildren("You are logged out. What you typed is kept in this browser. ", link);
  }

  #onApplied() {
    this.editor.ready();
    this.#showLine();
    if (this.speakers.dialog.open) this.speakers.show();
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

  // Two versions, and what an earlier visit left -------------------------------------------------------------------

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
          this.page.say(refused.message);
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
  async offerLeft() {
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
