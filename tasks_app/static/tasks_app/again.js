/** Doing a part again: the dialog, how far it is, and the choice where somebody's correction and the new result differ. */

import { cookie, reach } from "./saving.js";
import { clock } from "./words.js";

const KINDS = ["transcribe", "diarize"];
const PENDING = ["waiting", "running"];
const LOOK = 10_000; // milliseconds without news, after which the server is asked

export class Again {
  /**
   * @param {object} what
   * @param {import("./lines.js").Lines} what.lines
   * @param {import("./saving.js").Saving} what.saving
   * @param {import("./editor.js").Editor} what.editor
   * @param {AbortSignal} what.signal
   */
  constructor({ lines, saving, editor, signal }) {
    Object.assign(this, { lines, saving, editor, signal });
    this.dialog = document.getElementById("again-dialog");
    this.form = document.getElementById("again-form");
    this.note = document.getElementById("again-note");
    this.address = this.note.dataset.again;
    document.getElementById("again").addEventListener("click", () => this.#open(), { signal });
    document.addEventListener("follow_up", ({ detail }) => KINDS.includes(detail.kind) && this.#show(detail), { signal });
    saving.addEventListener("applied", ({ detail }) => this.#offer(detail.alternatives));
    signal.addEventListener("abort", () => clearTimeout(this.timer));
    this.form?.addEventListener("submit", (event) => this.#send(event), { signal });
    this.form?.addEventListener("change", () => this.#fit(), { signal });
    const { state, percentage, message, kind } = this.note.dataset;
    if (PENDING.includes(state) || state === "failed") this.#show({ kind, state, percentage: Number(percentage), user_message: message });
  }

  // Asking for it ----------------------------------------------------------------------------------------------------

  #open() {
    const chosen = this.#selected();
    if (this.form && chosen) {
      this.form.elements.from.value = clock(chosen[0].start);
      this.form.elements.to.value = clock(chosen[1].start);
      this.form.elements.part.value = "lines";
    }
    this.#fit();
    this.#refuse("");
    this.dialog.showModal();
  }

  /** The first and the last line of the selection, or the line with the cursor. */
  #selected() {
    const selection = getSelection();
    const ends = [selection.anchorNode, selection.focusNode].map((node) => this.lines.of(node));
    const [first, last] = ends.every(Boolean) ? ends.sort((one, other) => one.start - other.start) : [];
    if (first) return [first, last];
    return this.editor.line && [this.editor.line, this.editor.line];
  }

  /** Only what goes with the choices so far is there to be filled in. */
  #fit() {
    if (!this.form) return;
    const { kind, part } = this.form.elements;
    for (const field of this.form.querySelectorAll("[data-for]")) field.hidden = field.dataset.for !== kind.value;
    document.getElementById("again-lines").hidden = kind.value !== "transcribe" || part.value !== "lines";
  }

  async #send(event) {
    event.preventDefault();
    const asked = this.#asked();
    if (!asked) return;
    await this.saving.save();
    try {
      this.#show(await this.#reach("POST", asked));
      this.dialog.close();
      this.note.querySelector("button")?.focus();
    } catch (error) {
      this.#refuse(error.message);
    }
  }

  #asked() {
    const { kind, part, from, to, model, language, track, hints, min_speakers: least, max_speakers: most } = this.form.elements;
    if (kind.value === "diarize") return { kind: "diarize", min_speakers: Number(least.value), max_speakers: Number(most.value) };
    const asked = { kind: "transcribe", model: model.value, language: language.value, track: Number(track.value), hints: hints.value };
    if (part.value !== "lines") return asked;
    const [since, until] = [seconds(from.value), seconds(to.value)];
    if (since === null || until === null) return this.#refuse("Write times as in 1:05 or 1:02:30.");
    // What is shown is rounded down: the line begins within that second.
    const { order } = this.lines;
    const first = order.find((line) => Math.floor(line.start) === Math.floor(since)) ?? this.lines.at(since) ?? order[0];
    const last = this.lines.at(Math.floor(until) + 0.999) ?? order[0];
    return { ...asked, start: first.start, end: last.end };
  }

  #refuse(message) {
    const place = document.getElementById("again-refused");
    if (!place) return;
    place.textContent = message;
    place.hidden = !message;
  }

  #reach(method, body) {
    return reach(this.address, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": cookie("csrftoken") },
      body: body && JSON.stringify(body),
    });
  }

  // How far it is ----------------------------------------------------------------------------------------------------

  #show({ kind, state, percentage, user_message: message }) {
    clearTimeout(this.timer);
    const pending = PENDING.includes(state);
    if (pending) this.timer = setTimeout(() => this.#look(), LOOK);
    if (this.state === state && this.bar?.isConnected) {
      this.bar.value = percentage;
      return;
    }
    this.state = state;
    const what = kind === "diarize" ? "Telling speakers apart again" : "Transcribing again";
    const words = {
      waiting: `${what}: waiting for its turn.`,
      running: `${what}.`,
      done: `${what} is done. Undo takes it back.`,
      failed: `${what} failed; the transcript stayed as it was. ${message}`,
      cancelled: "Cancelled. The transcript stayed as it was.",
    };
    const text = document.createElement("p");
    text.textContent = words[state];
    this.bar = document.createElement("progress");
    Object.assign(this.bar, { max: 100, value: percentage, hidden: state !== "running" });
    this.bar.setAttribute("aria-label", what);
    const close = button(pending ? "Cancel" : "Close", () => (pending ? this.#cancel() : this.#close()));
    const retry = state === "failed" ? [button("Ask again", () => this.#open())] : [];
    const had = this.note.contains(document.activeElement);
    this.note.replaceChildren(text, this.bar, ...retry, close);
    this.note.dataset.state = state;
    this.note.hidden = false;
    if (had) close.focus();
    if (state === "done") this.saving.catchUp();
  }

  async #look() {
    try {
      this.#show(await this.#reach("GET"));
    } catch {
      this.timer = setTimeout(() => this.#look(), LOOK);
    }
  }

  async #cancel() {
    try {
      await this.#reach("DELETE");
      this.#look();
    } catch (error) {
      this.note.querySelector("p").textContent = error.message;
    }
  }

  #close() {
    this.note.hidden = true;
    document.getElementById("again").focus();
  }

  // Two versions -----------------------------------------------------------------------------------------------------

  /** @param {{id: number, start: number, end: number, text: string, speaker: string}[]} alternatives */
  #offer(alternatives) {
    const all = document.getElementById("again-choices");
    const ids = alternatives.map(({ id }) => id);
    const shown = `${ids}|${this.lines.order.length}`;
    if (this.offered === shown) return;
    this.offered = shown;
    for (const old of this.lines.list.querySelectorAll(".alternative")) old.remove();
    for (const one of alternatives) this.#put(one);
    all.hidden = !ids.length;
    const count = document.createElement("p");
    count.textContent = ids.length === 1
      ? "At one place, what you corrected and what was recognised anew differ. Yours stands until you choose."
      : `At ${ids.length} places, what you corrected and what was recognised anew differ. Yours stand until you choose.`;
    const answers = document.createElement("div");
    answers.className = "answers";
    answers.append(
      button("Go to the first", () => this.lines.list.querySelector(".alternative").scrollIntoView({ block: "center" })),
      button("Keep all of mine", () => this.#choose(ids, false)),
      button("Take all new", () => this.#choose(ids, true)),
    );
    all.replaceChildren(count, answers);
  }

  #put({ id, start, end, text, speaker }) {
    const line = this.lines.at((start + end) / 2) ?? this.lines.order[0];
    if (!line) return;
    const stands = line.end > start && line.start < end;
    const panel = document.createElement("div");
    panel.className = "conflict alternative";
    panel.setAttribute("role", "group");
    panel.setAttribute("aria-label", `Two versions at ${clock(start)}`);
    const mine = !stands ? "deleted" : text ? line.text : this.lines.nameOf(line.speaker);
    panel.append(
      choice("Yours", mine, "Keep mine", () => this.#choose([id], false)),
      choice("New", text || this.lines.nameOf(speaker), "Take the new one", () => this.#choose([id], true)),
    );
    line.row.after(panel);
  }

  async #choose(alternatives, take) {
    await this.editor.change("choose", () => ({ alternatives, take }));
    document.querySelector(".alternative button, #again")?.focus({ preventScroll: true });
  }
}

function button(text, work) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button quiet";
  made.textContent = text;
  made.addEventListener("click", work);
  return made;
}

function choice(title, text, action, work) {
  const made = document.createElement("div");
  made.className = "choice";
  const shown = document.createElement("p");
  const label = document.createElement("b");
  label.textContent = `${title}: `;
  shown.append(label, text);
  made.append(shown, button(action, work));
  return made;
}

/** @param {string} text `1:02:03`, `2:03` or `3` @returns {number|null} */
function seconds(text) {
  const parts = text.trim().split(":");
  if (parts.length > 3 || !parts.every((part) => /^\d+(\.\d+)?$/.test(part))) return null;
  return parts.reduce((sum, part) => 60 * sum + Number(part), 0);
}
