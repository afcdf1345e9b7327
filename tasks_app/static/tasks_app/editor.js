/** Correcting in the text itself: the line with the cursor is editable; keys split, join and move. */

import { Lines, cursorIn, plain, rangeIn } from "./lines.js";

const DOUBLE = 350; // milliseconds between two presses of Tab that count as one double press
const BACK = 3; // seconds
const SHORTEST = 0.02; // seconds of a segment

export class Editor {
  /**
   * @param {object} what
   * @param {Lines} what.lines
   * @param {import("./saving.js").Saving} what.saving
   * @param {object|null} what.player
   * @param {(line: import("./lines.js").Line|undefined) => void} what.onLine the cursor came to another line
   * @param {(message: string) => void} what.say tells the person something
   */
  constructor({ lines, saving, player, onLine, say }) {
    Object.assign(this, { lines, saving, player, onLine, say });
    /** Keys typed while the server splits or joins. @type {string|null} */
    this.waiting = null;
    /** It plays because somebody clicked on a word: it stops when that is corrected. */
    this.playedByClick = false;
    const { list } = lines;
    list.addEventListener("pointerdown", (event) => this.#open(event.target.closest("p")));
    list.addEventListener("focusin", (event) => this.#onFocus(event));
    list.addEventListener("focusout", (event) => this.#onLeave(event));
    list.addEventListener("beforeinput", (event) => this.#beforeInput(event));
    list.addEventListener("input", () => this.#onInput());
    list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Make the first line reachable with Tab, if no line is. */
  ready() {
    if (this.tabStop?.isConnected) return;
    for (const { p } of this.lines.order.slice(0, 1)) this.#reachable(p);
  }

  get isTyping() {
    return this.line !== undefined && this.saving.typed.has(this.line);
  }

  get hasFocus() {
    return this.line !== undefined && document.activeElement === this.line.p;
  }

  // The cursor -------------------------------------------------------------------------------------------------------

  /** Only one line is editable, so that Tab stops once in the text, and screen readers do not meet ten thousand fields. */
  #open(p) {
    const line = p && this.lines.of(p);
    if (!line) return;
    this.#reachable(p);
    if (!p.isContentEditable) p.contentEditable = "plaintext-only";
  }

  #reachable(p) {
    if (this.tabStop === p) return;
    if (this.tabStop) {
      this.tabStop.removeAttribute("tabindex");
      this.tabStop.removeAttribute("contenteditable");
      for (const name of ["role", "aria-label", "aria-describedby", "aria-multiline"]) this.tabStop.removeAttribute(name);
    }
    this.tabStop = p;
    p.tabIndex = 0;
    p.setAttribute("role", "textbox");
    p.setAttribute("aria-multiline", "false");
    p.setAttribute("aria-describedby", "how-to-correct");
    const line = this.lines.of(p);
    p.setAttribute("aria-label", `${this.lines.nameOf(line.speaker)}, ${line.row.querySelector("time").textContent}`);
  }

  /** Put the cursor into a line. @param {import("./lines.js").Line} line @param {number} at @param {number} [to] selects up to there */
  put(line, at, to = at) {
    this.#open(line.p);
    line.p.focus({ preventScroll: true });
    const range = rangeIn(line.p, Math.min(at, line.p.textContent.length), Math.min(to, line.p.textContent.length));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const { top, bottom } = line.row.getBoundingClientRect();
    const head = document.getElementById("tools").getBoundingClientRect().bottom;
    const foot = document.getElementById("player")?.getBoundingClientRect().top ?? innerHeight;
    if (top < head || bottom > Math.min(foot, innerHeight)) line.row.scrollIntoView({ block: "center" });
  }

  #onFocus(event) {
    const line = this.lines.of(event.target);
    if (!line || event.target !== line.p || this.leaving) return;
    this.#open(line.p);
    if (line === this.line) return;
    this.line?.row.classList.remove("current");
    this.line = line;
    line.row.classList.add("current");
    this.onLine(line);
  }

  #onLeave(event) {
    const line = this.lines.of(event.target);
    if (!line || event.target !== line.p || !document.hasFocus()) return;
    if (!plain(line.p.textContent) && line.text) this.remove(line, false);
    else if (this.saving.typed.has(line)) this.saving.save();
  }

  // Typing -----------------------------------------------------------------------------------------------------------

  #beforeInput(event) {
    if (this.waiting !== null) {
      event.preventDefault();
      if (event.inputType === "insertText") this.waiting += event.data ?? "";
    } else if (event.inputType === "insertLineBreak" || event.inputType === "insertParagraph") {
      event.preventDefault();
      if (this.line) this.split(this.line, cursorIn(this.line.p)); // keyboards of telephones send no Enter
    } else if (event.inputType === "historyUndo" || event.inputType === "historyRedo") {
      if (!this.isTyping) event.preventDefault();
    }
  }

  #onInput() {
    if (!this.line) return;
    if (this.playedByClick && this.player?.playing) this.player.pause(); // what was heard is being corrected
    this.playedByClick = false;
    this.saving.onTyped(this.line);
  }

  #onKey(event) {
    const { line } = this;
    if (!line || event.target !== line.p || event.isComposing) return;
    const length = line.p.textContent.length;
    const at = cursorIn(line.p);
    const selected = !getSelection().isCollapsed;
    const plainKey = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    if (!plainKey) return;
    if (!line.p.isContentEditable) {
      if (event.key !== "Enter") return; // Tab moves on
      this.put(line, 0);
    } else if (event.key === "Tab") this.#onTab();
    else if (event.key === "Escape") this.leave();
    else if (event.key === "Enter") this.split(line, at);
    else if (event.key === "Backspace" && !length) this.remove(line);
    else if (event.key === "Backspace" && !selected && at === 0) this.join(this.lines.beside(line, -1), line);
    else if (event.key === "Delete" && !selected && at === length) this.join(line, this.lines.beside(line, 1));
    else if (event.key === "ArrowLeft" && !selected && at === 0) this.#move(-1, Infinity);
    else if (event.key === "ArrowRight" && !selected && at === length) this.#move(1, 0);
    else if (event.key === "ArrowUp" && this.#isOnEdge("top")) this.#move(-1, at);
    else if (event.key === "ArrowDown" && this.#isOnEdge("bottom")) this.#move(1, at);
    else return;
    event.preventDefault();
  }

  /** Leave the text; Tab then moves on to the next control. */
  leave() {
    if (!this.line) return;
    this.leaving = true;
    this.line.p.removeAttribute("contenteditable");
    this.line.p.focus({ preventScroll: true });
    getSelection().removeAllRanges();
    this.leaving = false;
    if (this.saving.typed.has(this.line)) this.saving.save();
  }

  #onTab() {
    const now = performance.now();
    if (now - (this.tabbed ?? -Infinity) < DOUBLE) {
      this.player?.play(Math.max(0, (this.tabTime ?? this.player.time) - BACK));
      this.tabbed = undefined;
      return;
    }
    this.tabbed = now;
    this.tabTime = this.player?.time;
    this.playedByClick = false;
    this.player?.toggle();
  }

  #move(by, at) {
    const next = this.lines.beside(this.line, by);
    if (next) this.put(next, at);
  }

  /** Whether the cursor is in the first or last row of a line that is wrapped. */
  #isOnEdge(edge) {
    const range = getSelection().getRangeAt(0);
    const cursor = range.getClientRects()[0];
    if (!cursor) return true;
    const box = this.line.p.getBoundingClientRect();
    const gap = edge === "top" ? cursor.top - box.top : box.bottom - cursor.bottom;
    return gap < cursor.height / 2 + 4;
  }

  // Changes of lines -------------------------------------------------------------------------------------------------

  split(line, at) {
    return this.#structural(line, "split", (id) => ({ segment: id(line), at: this.#kept(line, at) }), () =>
      this.put(this.lines.beside(line, 1), 0),
    );
  }

  join(first, second) {
    if (!first || !second) return undefined;
    const at = plain(first.p.textContent).length;
    return this.#structural(first, "join", (id) => ({ first: id(first), second: id(second) }), () => this.put(first, at));
  }

  /** @param {import("./lines.js").Line} line @param {boolean} [stay] keep the cursor in the text */
  remove(line, stay = true) {
    const beside = this.lines.beside(line, -1) ?? this.lines.beside(line, 1);
    if (!plain(line.p.textContent)) line.p.textContent = line.text; // nothing to save; the line goes as it was
    this.saving.typed.delete(line);
    return this.#structural(line, "delete", (id) => ({ segments: [id(line)] }), () => {
      this.say("The line was deleted. Undo brings it back.");
      if (stay && beside) this.put(beside, Infinity);
    });
  }

  /** @param {import("./lines.js").Line} line @param {string|null} label null for somebody new */
  speaker(line, label) {
    return this.change("speaker", (id) => ({ segments: [id(line)], label }));
  }

  /** Move the start or end of a line. @param {"start"|"end"} which @param {number} by seconds */
  nudge(line, which, by) {
    const times = { start: line.start, end: line.end };
    times[which] = Math.round((times[which] + by) * 1000) / 1000;
    return this.times(line, times.start, times.end);
  }

  times(line, start, end) {
    if (start < 0 || end - start < SHORTEST) return undefined;
    return this.change("times", (id) => ({ segment: id(line), start, end }));
  }

  /** @param {string} kind @param {(id: Function) => object} [what] @returns {Promise<object|undefined>} undefined if refused */
  async change(kind, what) {
    try {
      return await this.saving.change(kind, what);
    } catch (error) {
      if (error.theirs) this.saving.catchUp();
      this.say(error.network ? `${error.message} What you type is kept; for this, try again later.` : error.message);
      return undefined;
    }
  }

  /** While lines are split or joined, keys wait, and are typed where the cursor goes. */
  async #structural(line, kind, what, then) {
    if (this.waiting !== null) return;
    this.waiting = "";
    const done = await this.change(kind, what);
    const typed = this.waiting;
    this.waiting = null;
    if (done) then(done);
    if (typed) document.execCommand("insertText", false, typed);
  }

  /** A place in the text as typed, in the text as the server keeps it. */
  #kept(line, at) {
    return plain(`${line.p.textContent.slice(0, at)}|`).length - 1;
  }
}
