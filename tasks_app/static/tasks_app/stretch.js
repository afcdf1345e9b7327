/** A stretch of the recording, shown over the waveform: its borders are dragged or moved by keys, and it may be looped. */

import { clock } from "./words.js";

const NUDGE = 0.1; // seconds, by which arrow keys move a border
const LEAST = 0.1; // seconds
const FIRST_LOOP = 5; // seconds

/** @typedef {{start: number, end: number, onChange?: (start: number, end: number) => void}} Chosen seconds */

export class Stretch {
  #waveform;
  #player;
  #area;
  #borders;
  #view;
  #selected = null;
  #looped = null;

  /**
   * @param {object} what
   * @param {HTMLElement} what.element the player, as `_player.html` renders it
   * @param {import("./waveform.js").Waveform} what.waveform
   * @param {import("./player.js").Player} what.player
   * @param {AbortSignal} what.signal
   */
  constructor({ element, waveform, player, signal }) {
    this.#waveform = waveform;
    this.#player = player;
    this.#area = element.querySelector("[data-waveform]");
    this.#view = element.querySelector("[data-view]");
    this.#borders = [...element.querySelectorAll("[data-border]")];
    this.#area.addEventListener("pointerdown", (event) => this.#drag(event, (seconds) => player.seek(seconds)), { signal });
    for (const border of this.#borders) {
      border.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        border.focus();
        this.#drag(event, (seconds) => this.#moveBorder(border, seconds), () => this.#tellChange());
      }, { signal });
      border.addEventListener("keydown", (event) => this.#onKey(event, border), { signal });
    }
  }

  /** What is played again and again. @returns {{start: number, end: number}|null} */
  get looped() {
    return this.#looped;
  }

  /** @param {{start: number, end: number}|null} stretch */
  loop(stretch) {
    this.#looped = stretch;
    this.show();
  }

  /** @param {Chosen|null} stretch */
  select(stretch) {
    this.#selected = stretch && { ...stretch };
    this.show();
  }

  /** Start and end of what a press of the button loops. @returns {[number, number]} seconds */
  toLoop() {
    if (this.#selected) return [this.#selected.start, this.#selected.end];
    const { time, duration } = this.#player;
    const start = Math.max(Math.min(time, duration - FIRST_LOOP), 0);
    return [start, Math.min(start + FIRST_LOOP, duration)];
  }

  /** Draw it, as its place or the recording's length has changed. */
  show() {
    const { duration } = this.#player;
    const shown = this.#shown;
    this.#waveform.setStretch(shown && { start: shown.start, end: shown.end });
    const { start, end } = this.#waveform.view;
    for (const border of this.#borders) {
      border.hidden = !shown || !duration;
      if (!shown) continue;
      const at = shown[border.dataset.border];
      border.style.left = `${((at - start) / (end - start || 1)) * 100}%`;
      border.setAttribute("aria-valuemin", "0");
      border.setAttribute("aria-valuemax", duration.toFixed(1));
      border.setAttribute("aria-valuenow", at.toFixed(1));
      border.setAttribute("aria-valuetext", `${clock(at)}.${Math.floor((at % 1) * 10)}`);
    }
    const isPart = start > 0 || end < duration;
    this.#view.hidden = !isPart;
    this.#view.textContent = isPart ? `${clock(start)} – ${clock(end)}` : "";
  }

  get #shown() {
    return this.#selected ?? this.#looped;
  }

  #moveBorder(border, seconds) {
    const shown = this.#shown;
    const isLooped = this.#looped && this.#looped.start === shown.start && this.#looped.end === shown.end;
    const place = Math.round(seconds * 1000) / 1000;
    if (border.dataset.border === "start") shown.start = Math.max(Math.min(place, shown.end - LEAST), 0);
    else shown.end = Math.min(Math.max(place, shown.start + LEAST), this.#player.duration);
    if (isLooped) Object.assign(this.#looped, { start: shown.start, end: shown.end });
    this.show();
  }

  #tellChange() {
    this.#selected?.onChange?.(this.#selected.start, this.#selected.end);
  }

  #onKey(event, border) {
    const moves = { ArrowLeft: -NUDGE, ArrowDown: -NUDGE, ArrowRight: NUDGE, ArrowUp: NUDGE, PageDown: -1, PageUp: 1 };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in moves)) return;
    event.preventDefault();
    this.#moveBorder(border, this.#shown[border.dataset.border] + moves[event.key]);
    this.#tellChange();
  }

  /** Follow the pointer until it is released: `move` is told the seconds under it. */
  #drag(event, move, done = () => {}) {
    if (event.button || !this.#player.duration) return;
    const target = event.currentTarget;
    const box = this.#area.getBoundingClientRect();
    const { start, end } = this.#waveform.view;
    const seconds = ({ clientX }) => start + Math.min(Math.max((clientX - box.left) / box.width, 0), 1) * (end - start);
    const released = new AbortController();
    const on = (name, listener) => target.addEventListener(name, listener, { signal: released.signal });
    const stop = () => {
      released.abort();
      done();
    };
    target.setPointerCapture(event.pointerId);
    on("pointermove", (moved) => move(seconds(moved)));
    on("pointerup", stop);
    on("pointercancel", stop);
    if (target === this.#area) move(seconds(event));
  }
}
