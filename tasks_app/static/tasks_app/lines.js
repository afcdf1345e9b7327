/** The lines of a transcript: what the server says of each, and its row on the page. */

import { clock } from "./words.js";

const BLOCK = 50; // rows; what is not in sight is not laid out block by block, as ten thousand single rows would be slow
const MANY = 50; // changed lines, after which it is quicker to look at all
const PAUSE = 1.5; // seconds of silence that start a paragraph; the same in pages/transcripts.py

/**
 * @typedef {object} Segment as the server sends it
 * @property {number} id a new one after every change
 * @property {number} start seconds
 * @property {number} end seconds
 * @property {string} text
 * @property {string} speaker label, empty if unknown
 * @property {Word[]} words empty where there are no word times
 *
 * @typedef {[string, number, number, number|null, 0|1, 0|1]} Word text, start, end, score, estimated, spaced
 *
 * @typedef {Segment & {row: HTMLElement, p: HTMLElement}} Line
 *
 * @typedef {{label: string, name: string, colour: number, same_as: string}} Speaker
 *
 * @typedef {{revision: number, speakers: Speaker[], closed: number[], segments: Segment[]}} Changes
 */

export class Lines {
  /** @param {HTMLElement} list @param {HTMLTemplateElement} template @param {boolean} mayChange whether a speaker's name is a button */
  constructor(list, template, mayChange) {
    this.list = list;
    this.mayChange = mayChange;
    this.template = template.content.firstElementChild;
    /** In order of time. @type {Line[]} */
    this.order = [];
    /** @type {Map<number, Line>} */
    this.byId = new Map();
    /** @type {WeakMap<Element, Line>} */
    this.byRow = new WeakMap();
    /** @type {Map<string, Speaker>} */
    this.speakers = new Map();
    this.rendered = new Map([...list.querySelectorAll(".line")].map((row) => [Number(row.dataset.id), row]));
  }

  /** The line that an element or text is part of. @param {Node|null} node @returns {Line|undefined} */
  of(node) {
    const element = node instanceof Element ? node : node?.parentElement;
    return this.byRow.get(element?.closest(".line"));
  }

  /** The line next to another. @param {Line} line @param {number} by @returns {Line|undefined} */
  beside(line, by) {
    return this.order[this.#place(line) + by];
  }

  /** The last line that has started by then. @param {number} time seconds @returns {Line|undefined} */
  at(time) {
    return this.order[this.#after({ start: time, id: Infinity }) - 1];
  }

  /** Speakers that are not merged into another. @returns {Speaker[]} */
  get people() {
    return [...this.speakers.values()].filter((speaker) => speaker.same_as === speaker.label);
  }

  /** @param {string} label @returns {string} worded exactly as in Python's wording.py */
  nameOf(label) {
    const name = this.speakers.get(label)?.name ?? label;
    const number = /^SPEAKER_(\d+)$/.exec(name);
    return number ? `Speaker ${Number(number[1]) + 1}` : name || "Unknown speaker";
  }

  /** Add segments that follow those that are there already. @param {Segment[]} segments */
  append(segments) {
    const fragment = document.createDocumentFragment();
    let before = this.order.at(-1);
    for (const segment of segments) {
      if (this.byId.has(segment.id)) continue;
      const row = this.rendered.get(segment.id);
      const line = this.#line(segment, row);
      this.order.push(line);
      this.#decorate(line, before);
      before = line;
      if (row) continue;
      if (!fragment.lastChild || fragment.lastChild.childElementCount === BLOCK) fragment.append(block());
      fragment.lastChild.append(line.row);
    }
    this.list.append(fragment);
  }

  /** Take over the words of lines that came without. @param {Segment[]} segments */
  setWords(segments) {
    for (const { id, words } of segments) {
      const line = this.byId.get(id);
      if (line) line.words = words;
    }
  }

  /** @param {Speaker[]} speakers @returns {boolean} whether anything is new */
  setSpeakers(speakers) {
    const changed = JSON.stringify(speakers) !== JSON.stringify([...this.speakers.values()]);
    this.speakers = new Map(speakers.map((speaker) => [speaker.label, speaker]));
    this.list.classList.toggle("one-voice", !speakers.length);
    return changed;
  }

  /**
   * Take over what changed. A replaced line keeps its row, and the cursor in it.
   * @param {Changes} changes
   * @param {(line: Line) => boolean} isHeld whether a line has unsaved text in it that somebody else's change must not touch
   * @returns {Line[]} the new lines, and those that changed
   */
  apply({ speakers, closed, segments }, isHeld) {
    const gone = closed.map((id) => this.byId.get(id)).filter((line) => line && !isHeld(line));
    const byStart = new Map(gone.map((line) => [line.start, line]));
    const byText = new Map(gone.map((line) => [line.text, line]));
    const held = closed.map((id) => this.byId.get(id)).filter((line) => line && isHeld(line));
    const left = new Set(gone);
    /** @type {Line[]} */
    const touched = [];
    const inserted = [];
    for (const segment of segments) {
      if (this.byId.has(segment.id)) continue;
      const heldHere = held.find((line) => line.start === segment.start);
      if (heldHere) {
        // Its words were timed again: what is typed stays. Of another text, both versions are shown when it is saved.
        if (heldHere.text === segment.text && heldHere.speaker === segment.speaker) this.#replace(heldHere, segment);
        continue;
      }
      const twin = [byStart.get(segment.start), byText.get(segment.text)].find((line) => line && left.has(line));
      if (twin) {
        left.delete(twin);
        this.#replace(twin, segment);
        touched.push(twin);
      } else {
        inserted.push(segment);
      }
    }
    for (const line of left) this.#remove(line);
    if (left.size) this.order = this.order.filter((line) => !left.has(line));
    this.order.sort(compare);
    for (const segment of inserted) touched.push(this.#insert(segment));
    for (const line of touched) this.#put(line, this.beside(line, 1));
    if (this.setSpeakers(speakers) || left.size || touched.length > MANY) this.#decorateAll();
    else for (const line of touched) for (const by of [0, 1]) this.#decorate(this.beside(line, by), this.beside(line, by - 1));
    return touched;
  }

  #line(segment, row = this.template.cloneNode(true)) {
    const line = { words: [], ...segment, row, p: row.querySelector("p") };
    row.dataset.id = segment.id;
    row.querySelector("time").textContent = clock(segment.start);
    if (line.p.textContent !== segment.text) line.p.textContent = segment.text;
    this.byId.set(segment.id, line);
    this.byRow.set(row, line);
    return line;
  }

  #insert(segment) {
    const line = this.#line(segment);
    const place = this.#after(line);
    this.#put(line, this.order[place]);
    this.order.splice(place, 0, line);
    return line;
  }

  #replace(line, segment) {
    const shown = plain(line.p.textContent);
    const typed = shown !== line.text && shown !== segment.text;
    this.byId.delete(line.id);
    Object.assign(line, segment);
    this.byId.set(line.id, line);
    line.row.dataset.id = line.id;
    line.row.querySelector("time").textContent = clock(line.start);
    // What was typed since it was sent stays; so does a space before the cursor.
    if (!typed && shown !== line.text) line.p.textContent = line.text;
  }

  #remove(line) {
    this.byId.delete(line.id);
    line.row.remove();
  }

  #put(line, next) {
    const { row } = line;
    if (row.nextElementSibling?.matches(".conflict")) return;
    const following = row.nextElementSibling ?? row.parentElement?.nextElementSibling?.firstElementChild;
    if (row.isConnected && following === next?.row) return;
    if (next) next.row.before(row);
    else (this.list.lastElementChild ?? this.list.appendChild(block())).append(row);
  }

  #decorateAll() {
    this.order.forEach((line, place) => this.#decorate(line, this.order[place - 1]));
  }

  #decorate(line, before) {
    if (!line) return;
    const speaker = this.speakers.get(line.speaker);
    const shown = speaker?.same_as ?? line.speaker;
    const earlier = before && (this.speakers.get(before.speaker)?.same_as ?? before.speaker);
    const starts = this.speakers.size > 0 && (!before || shown !== earlier);
    line.row.classList.toggle("starts", starts);
    line.row.classList.toggle("pause", !starts && Boolean(before) && line.start - before.end > PAUSE);
    let heading = line.row.querySelector(".speaker");
    if (!starts) {
      heading?.remove();
      return;
    }
    if (!heading) {
      heading = document.createElement(this.mayChange ? "button" : "span");
      if (this.mayChange) {
        heading.type = "button";
        heading.tabIndex = -1; // by keyboard there is the button above the text
      }
      line.row.prepend(heading);
    }
    heading.className = `speaker speaker-${speaker?.colour ?? 0}`;
    heading.textContent = this.nameOf(line.speaker);
  }

  #place(line) {
    return this.#after(line) - 1;
  }

  /** How many lines are not after `line`. */
  #after(line) {
    let from = 0;
    let to = this.order.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compare(this.order[middle], line) <= 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function block() {
  const element = document.createElement("div");
  element.className = "block";
  return element;
}

function compare(one, other) {
  return one.start - other.start || one.id - other.id;
}

/** Text as the server keeps it. @param {string} text @returns {string} */
export function plain(text) {
  return text.trim().replace(/\s+/g, " ");
}

/** Where the words of a line are in its text. @param {Line} line @returns {{word: Word, from: number, to: number}[]} */
export function placesOf(line) {
  const text = line.p.textContent;
  const found = [];
  let end = 0;
  for (const word of line.words) {
    const from = text.indexOf(word[0], end);
    if (from < 0) continue; // not yet saved
    end = from + word[0].length;
    found.push({ word, from, to: end });
  }
  return found;
}

/** A stretch of an element's text. @param {HTMLElement} element @param {number} from @param {number} to @returns {Range} */
export function rangeIn(element, from, to) {
  const range = document.createRange();
  range.setStart(...pointIn(element, from));
  range.setEnd(...pointIn(element, to));
  return range;
}

function pointIn(element, at) {
  let left = at;
  for (const node of element.childNodes) {
    if (left <= node.textContent.length && node.nodeType === Node.TEXT_NODE) return [node, left];
    left -= node.textContent.length;
  }
  return [element, element.childNodes.length];
}

/** The cursor's place in an element's text. @param {HTMLElement} element @returns {number} */
export function cursorIn(element) {
  const selection = getSelection();
  if (!selection.rangeCount || !element.contains(selection.focusNode)) return 0;
  const before = document.createRange();
  before.selectNodeContents(element);
  before.setEnd(selection.focusNode, selection.focusOffset);
  return before.toString().length;
}
