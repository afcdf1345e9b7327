/** A recording's waveform on a canvas: peaks in the colours of those who speak, what was played, and a stretch of it. */

const HEADER = 20; // bytes, see peaks.py
const BAR = 3; // CSS pixels from one bar to the next
const GAP = 1;
const LEAST = 1; // CSS pixels of the lowest bar, half above and half below the middle
const AHEAD = 0.5; // opacity of what was not played yet

export class Waveform {
  #canvas;
  #peaks = new Int8Array(0);
  #seconds = 1; // of a pair of peaks
  #duration = 0;
  #turns = [];
  #view = { start: 0, end: 0 };
  #played = null; // the bars as drawn, opaque and faint; null if they must be drawn again
  #ahead = null;
  #time = 0;
  #stretch = null;
  #observers = [];

  /** @param {HTMLCanvasElement} canvas which CSS gives its size */
  constructor(canvas) {
    this.#canvas = canvas;
    const resize = new ResizeObserver(() => this.#redraw());
    resize.observe(canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const onScheme = () => this.#redraw();
    dark.addEventListener("change", onScheme);
    this.#observers = [() => resize.disconnect(), () => dark.removeEventListener("change", onScheme)];
  }

  close() {
    this.#observers.forEach((stop) => stop());
  }

  /** @param {ArrayBuffer} data in the data format of audiowaveform, 8 bits */
  setPeaks(data) {
    const header = new DataView(data);
    this.#seconds = header.getInt32(12, true) / header.getInt32(8, true);
    this.#peaks = new Int8Array(data, HEADER);
    this.#redraw();
  }

  /** @param {{start: number, end: number, colour: number}[]} turns in order; colour 0 is that of nobody */
  setTurns(turns) {
    this.#turns = turns;
    this.#redraw();
  }

  /** @param {number} seconds */
  setDuration(seconds) {
    this.#duration = seconds;
    if (!this.#stretch) this.#view = { start: 0, end: seconds };
    this.#redraw();
  }

  /** Where the whole width begins and ends, in seconds. */
  get view() {
    return this.#view;
  }

  /** Show a stretch, larger if it is small beside the whole; or the whole again. */
  setStretch(stretch) {
    const isNew = stretch && !this.#stretch;
    const { start, end } = this.#view;
    const isOutside = stretch && (stretch.start < start || stretch.end > end);
    this.#stretch = stretch;
    if (isNew || isOutside) this.#view = this.#around(stretch);
    if (!stretch) this.#view = { start: 0, end: this.#duration };
    this.#redraw();
  }

  /** @param {number} seconds */
  setTime(seconds) {
    this.#time = seconds;
    this.#paint();
  }

  /** A stretch takes at least a sixth of the width. */
  #around({ start, end }) {
    const width = Math.max((end - start) * 3, 6);
    if ((end - start) * 6 > this.#duration || width > this.#duration) return { start: 0, end: this.#duration };
    const first = Math.min(Math.max((start + end - width) / 2, 0), this.#duration - width);
    return { start: first, end: first + width };
  }

  #redraw() {
    this.#played = null;
    requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const ratio = devicePixelRatio;
    const width = Math.round(this.#canvas.clientWidth * ratio);
    const height = Math.round(this.#canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#played = null;
    }
    const style = getComputedStyle(this.#canvas);
    if (!this.#played) this.#drawBars(width, height, ratio, style);
    const context = this.#canvas.getContext("2d");
    const x = (seconds) => ((seconds - this.#view.start) / (this.#view.end - this.#view.start || 1)) * width;
    context.clearRect(0, 0, width, height);
    if (this.#stretch) {
      const { start, end } = this.#stretch;
      context.fillStyle = style.getPropertyValue("--accent-soft");
      context.fillRect(x(start), 0, x(end) - x(start), height);
    }
    const now = Math.min(Math.max(x(this.#time), 0), width);
    if (now > 0) context.drawImage(this.#played, 0, 0, now, height, 0, 0, now, height);
    if (now < width) context.drawImage(this.#ahead, now, 0, width - now, height, now, 0, width - now, height);
    context.fillStyle = style.getPropertyValue("--text");
    const line = Math.max(Math.round(2 * ratio), 1);
    context.fillRect(Math.min(Math.max(Math.round(now - line / 2), 0), width - line), 0, line, height);
  }

  #drawBars(width, height, ratio, style) {
    const colours = [0, 1, 2, 3, 4, 5, 6].map((number) => style.getPropertyValue(number ? `--speaker-${number}` : "--line-strong"));
    this.#played = new OffscreenCanvas(width, height);
    this.#ahead = new OffscreenCanvas(width, height);
    const bars = this.#played.getContext("2d");
    const count = Math.floor(width / ratio / BAR);
    const { start, end } = this.#view;
    const step = (end - start) / count;
    let turn = 0;
    for (let bar = 0; bar < count; bar += 1) {
      const from = start + bar * step;
      const middle = from + step / 2;
      while (turn < this.#turns.length && this.#turns[turn].end <= middle) turn += 1;
      const speaks = turn < this.#turns.length && this.#turns[turn].start <= middle;
      bars.fillStyle = colours[speaks ? this.#turns[turn].colour : 0] ?? colours[0];
      const tall = Math.max(this.#loudest(from, from + step) * height, LEAST * ratio);
      bars.fillRect(Math.round(bar * BAR * ratio), (height - tall) / 2, Math.round((BAR - GAP) * ratio), tall);
    }
    const faint = this.#ahead.getContext("2d");
    faint.globalAlpha = AHEAD;
    faint.drawImage(this.#played, 0, 0);
  }

  /** The loudest there is between two times, from 0 to 1. */
  #loudest(from, to) {
    const first = Math.floor(from / this.#seconds);
    const last = Math.max(Math.ceil(to / this.#seconds), first + 1);
    let largest = 0;
    for (let place = 2 * first; place < 2 * last && place < this.#peaks.length; place += 1) {
      largest = Math.max(largest, Math.abs(this.#peaks[place]));
    }
    return Math.sqrt(largest / 127); // speech is mostly far below its loudest moment
  }
}
