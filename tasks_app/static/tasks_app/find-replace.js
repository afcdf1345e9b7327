/** Find and replace over the whole transcript, with a preview. */

import { Lines, plain } from "./lines.js";

const SHOWN = 100; // places in the preview
const AROUND = 40; // characters before and after a place
const LETTER = "[\\p{L}\\p{N}_]";

/**
 * @param {string} what @param {{words: boolean, matchCase: boolean}} how
 * @returns {RegExp|null}
 */
function pattern(what, { words, matchCase }) {
  const wanted = plain(what);
  if (!wanted) return null;
  const text = wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(words ? `(?<!${LETTER})${text}(?!${LETTER})` : text, matchCase ? "gu" : "giu");
}

export class FindReplace {
  /** @param {{lines: Lines, onReplace: (texts: Map<object, string>, count: number) => Promise<boolean>, onPlace: (line: object, from: number, to: number) => void}} what */
  constructor({ lines, onReplace, onPlace }) {
    Object.assign(this, { lines, onReplace, onPlace });
    this.dialog = document.getElementById("find-dialog");
    this.what = document.getElementById("find-what");
    this.by = document.getElementById("replace-with");
    this.words = document.getElementById("whole-words");
    this.matchCase = document.getElementById("match-case");
    this.list = document.getElementById("found");
    this.count = document.getElementById("found-count");
    this.button = document.getElementById("replace-all");
    const form = document.getElementById("find-form");
    form.addEventListener("input", (event) => {
      if (event.target !== this.by) this.#search();
      else for (const added of this.list.querySelectorAll("ins")) added.textContent = this.by.value;
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#replace();
    });
  }

  open() {
    const selected = plain(getSelection().toString());
    if (selected && selected.length < 100) this.what.value = selected;
    this.dialog.showModal();
    this.what.select();
    this.#search();
  }

  #search() {
    const wanted = pattern(this.what.value, { words: this.words.checked, matchCase: this.matchCase.checked });
    this.wanted = wanted;
    /** The lines in which it was found, and their text then. @type {Map<object, string>} */
    this.found = new Map();
    this.places = 0;
    const rows = document.createDocumentFragment();
    for (const line of wanted ? this.lines.order : []) {
      const text = plain(line.p.textContent);
      let found = 0;
      for (const match of text.matchAll(wanted)) {
        found += 1;
        if (this.places + found <= SHOWN) rows.append(this.#row(line, text, match.index, match[0].length));
      }
      if (!found) continue;
      this.places += found;
      this.found.set(line, text);
    }
    this.list.replaceChildren(rows);
    const some = `${this.places} ${this.places === 1 ? "place" : "places"} in ${this.found.size} ${this.found.size === 1 ? "line" : "lines"}`;
    this.count.textContent = !wanted ? "" : !this.places ? "Not found." : this.places > SHOWN ? `${some}. The first ${SHOWN}:` : `${some}:`;
    this.button.disabled = !this.places;
    this.button.textContent = this.places ? `Replace all ${this.places}` : "Replace all";
  }

  #row(line, text, from, length) {
    const row = document.createElement("li");
    const gone = document.createElement("del");
    gone.textContent = text.slice(from, from + length);
    const added = document.createElement("ins");
    added.textContent = this.by.value;
    const before = (from > AROUND ? "…" : "") + text.slice(Math.max(0, from - AROUND), from);
    const after = text.slice(from + length, from + length + AROUND) + (text.length > from + length + AROUND ? "…" : "");
    row.append(before, gone, added, after);
    row.addEventListener("click", () => {
      this.dialog.close();
      this.onPlace(line, from, from + length);
    });
    return row;
  }

  async #replace() {
    this.button.disabled = true;
    this.count.textContent = "Replacing…";
    const replaced = [...this.found].map(([line, text]) => [line, plain(text.replace(this.wanted, () => this.by.value))]);
    const texts = new Map(replaced.filter(([line, text]) => text !== line.text));
    const emptied = [...texts.values()].filter((text) => !text).length;
    if (emptied) {
      this.count.textContent = `${emptied} lines would have no text left. Delete them instead.`;
      return;
    }
    if (await this.onReplace(texts, this.places)) this.dialog.close();
    else this.#search();
  }
}
