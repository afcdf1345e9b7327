/** Marks the word that is spoken, keeps it in view, and underlines the words that the engine was unsure of. */

import { Lines, placesOf, rangeIn } from "./lines.js";

const UNSURE = 0.5; // a word with a lower score, or with estimated times, is doubtful
const AFTERGLOW = 0.3; // seconds that a word stays marked after its end
const BY_HAND = ["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"];

/** @param {import("./lines.js").Word} word */
export function isUnsure(word) {
  return word[4] === 1 || (word[3] !== null && word[3] < UNSURE);
}

export class Follow {
  /** @param {{lines: Lines, player: EventTarget|null, button: HTMLElement, isTyping: () => boolean}} what */
  constructor({ lines, player, button, isTyping }) {
    Object.assign(this, { lines, player, button, isTyping });
    this.marks = globalThis.Highlight && CSS.highlights ? { spoken: new Highlight(), unsure: new Highlight() } : null;
    if (this.marks) for (const [name, mark] of Object.entries(this.marks)) CSS.highlights.set(name, mark);
    this.following = true;
    this.unsureShown = false;
    /** Blocks of lines near the screen, whose unsure words are marked. @type {Set<Element>} */
    this.near = new Set();
    this.controller = new AbortController();
    const { signal } = this.controller;
    for (const type of ["wheel", "touchmove"]) addEventListener(type, () => this.stop(), { signal, passive: true });
    addEventListener("keydown", (event) => BY_HAND.includes(event.key) && !lines.of(event.target) && this.stop(), { signal });
    // The scroll bar is not part of any element.
    addEventListener("pointerdown", (event) => event.clientX >= document.documentElement.clientWidth && this.stop(), { signal });
    button.addEventListener("click", () => this.resume(), { signal });
    player?.addEventListener("time", (event) => this.#onTime(event.detail.time), { signal });
    player?.addEventListener("play", () => this.#show(), { signal });
    player?.addEventListener("pause", () => this.#show(), { signal });
    lines.list.addEventListener(
      "contentvisibilityautostatechange",
      (event) => {
        if (event.skipped) this.near.delete(event.target);
        else this.near.add(event.target);
        if (this.unsureShown) this.#markSoon();
      },
      { signal, capture: true },
    );
    // The first block is older than this script, and its event is past.
    for (const block of lines.list.children) {
      if (block.firstElementChild?.checkVisibility({ contentVisibilityAuto: true })) this.near.add(block);
    }
  }

  close() {
    this.controller.abort();
    cancelAnimationFrame(this.soon);
    for (const name of ["spoken", "unsure"]) globalThis.CSS?.highlights?.delete(name);
  }

  stop() {
    if (!this.player?.playing) return;
    this.following = false;
    this.#show();
  }

  resume() {
    this.following = true;
    if (this.line) toTheMiddle(this.line.row);
    this.#show();
  }

  #show() {
    this.button.hidden = this.following || !this.player?.playing;
  }

  #onTime(time) {
    const line = this.lines.at(time);
    if (line !== this.line) {
      this.line?.row.classList.remove("spoken");
      this.line = line;
      line?.row.classList.add("spoken");
      this.places = line && placesOf(line);
      this.word = undefined;
      if (line && this.player.playing && this.following && !this.isTyping()) this.#keepInView(line.row);
    }
    if (!line) return;
    const place = this.places.findLast(({ word }) => word[1] <= time);
    const word = place && time < place.word[2] + AFTERGLOW ? place : undefined;
    if (word === this.word) return;
    this.word = word;
    this.marks?.spoken.clear();
    if (word) this.marks?.spoken.add(rangeIn(line.p, word.from, word.to));
  }

  #keepInView(row) {
    const { top, bottom } = row.getBoundingClientRect();
    const head = document.getElementById("tools")?.getBoundingClientRect().bottom ?? 0;
    if (top > head + 24 && bottom < innerHeight * 0.75) return;
    toTheMiddle(row);
  }

  // Unsure words -----------------------------------------------------------------------------------------------------

  /** @param {boolean} shown */
  showUnsure(shown) {
    this.unsureShown = shown;
    this.#markSoon();
  }

  /** Lines have changed. */
  refresh() {
    this.places = this.line && placesOf(this.line);
    if (this.unsureShown) this.#markSoon();
  }

  #markSoon() {
    cancelAnimationFrame(this.soon);
    this.soon = requestAnimationFrame(() => {
      this.marks?.unsure.clear();
      if (!this.unsureShown) return;
      for (const row of [...this.near].flatMap((block) => [...block.children])) {
        const line = this.lines.of(row);
        if (!line) continue;
        for (const { word, from, to } of placesOf(line)) {
          if (isUnsure(word)) this.marks?.unsure.add(rangeIn(line.p, from, to));
        }
      }
    });
  }

  /**
   * The next unsure word after a place, from the beginning again after the end.
   * @param {import("./lines.js").Line|undefined} line @param {number} at
   */
  nextUnsure(line, at) {
    const { order } = this.lines;
    const first = Math.max(0, line ? order.indexOf(line) : 0);
    for (let step = 0; step <= order.length; step += 1) {
      const here = order[(first + step) % order.length];
      if (!here?.words.some(isUnsure)) continue;
      const found = placesOf(here).find(({ word, from }) => isUnsure(word) && (step > 0 || !line || from > at));
      if (found) return { line: here, ...found };
    }
    return undefined;
  }
}

/** Far away, a smooth scroll would pass over lines that have no height yet, and miss. @param {HTMLElement} row */
function toTheMiddle(row) {
  const far = Math.abs(row.getBoundingClientRect().top - innerHeight / 2) > innerHeight;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  row.scrollIntoView({ block: "center", behavior: far || still ? "instant" : "smooth" });
}
