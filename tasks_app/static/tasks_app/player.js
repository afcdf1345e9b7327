/**
 * Plays a task's recording, or its listening copy where the browser cannot play that.
 *
 * Events: `time` (detail.time, with every frame while it plays), `play`, `pause`, `ready`, and `missing` if the recording
 * is no longer kept. What the page learns of the making of a copy it passes on as the document's event `follow_up`.
 */

import { Waveform } from "./waveform.js";
import { clock } from "./words.js";

const SLOWEST = 0.5;
const FASTEST = 3;
const STEP = 5; // seconds, of the arrow keys
const LEAP = 60; // seconds, of the page keys
const NUDGE = 0.1; // seconds, by which arrow keys move a border
const LEAST_STRETCH = 0.1; // seconds
const FIRST_LOOP = 5; // seconds
const LOOK_AGAIN = 5000; // milliseconds

export class Player extends EventTarget {
  #element;
  #media = null;
  #waveform;
  #part = {};
  #stretch = null; // what `select` shows
  #loop = null;
  #hasPeaks = false;
  #refused = false; // this browser does not play the recording as it is
  #waiting = null; // the place to begin at once there is sound
  #duration;
  #timer;
  #ended = new AbortController();

  /** @param {HTMLElement} element as `_player.html` renders it */
  constructor(element) {
    super();
    this.#element = element;
    for (const name of ["note", "failed", "again", "body", "picture", "waveform", "position", "view", "play", "time", "duration", "loop", "speed", "volume", "hide"]) {
      this.#part[name] = element.querySelector(`[data-${name}]`);
    }
    this.#part.borders = [...element.querySelectorAll("[data-border]")];
    this.#waveform = new Waveform(element.querySelector("canvas"));
    this.#duration = Number(element.dataset.duration);
    this.#waveform.setDuration(this.#duration);
    this.#listen();
    this.#show({
      state: element.dataset.state,
      content_type: element.dataset.contentType,
      has_picture: "hasPicture" in element.dataset,
      has_copy: "hasCopy" in element.dataset,
      percentage: Number(element.dataset.percentage),
      message: element.dataset.message,
    });
  }

  /** Seconds. */
  get time() {
    return this.#waiting ?? this.#media?.currentTime ?? 0;
  }

  /** Seconds. */
  get duration() {
    return this.#duration;
  }

  get playing() {
    return Boolean(this.#media && !this.#media.paused);
  }

  get speed() {
    return Number(this.#part.speed.value);
  }

  set speed(value) {
    const wanted = Math.min(Math.max(value, SLOWEST), FASTEST);
    const offered = [...this.#part.speed.options].map((option) => Number(option.value));
    const nearest = offered.reduce((best, other) => (Math.abs(other - wanted) < Math.abs(best - wanted) ? other : best));
    this.#part.speed.value = String(nearest);
    if (this.#media) this.#media.playbackRate = this.#media.defaultPlaybackRate = nearest;
    remember("speed", nearest);
  }

  /** @param {number} [from] seconds */
  play(from) {
    if (from !== undefined) this.seek(from);
    if (!this.#media) return;
    if (this.#media.error) this.#reload();
    // Refused where nobody has touched the page yet; then it stays paused.
    this.#media.play().catch(() => this.#showPlaying());
  }

  pause() {
    this.#media?.pause();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const place = Math.min(Math.max(seconds, 0), this.#duration || Infinity);
    if (this.#media?.readyState) this.#media.currentTime = place;
    else this.#waiting = place;
    this.#showTime();
  }

  /** @param {number} seconds forwards, or backwards if negative */
  skip(seconds) {
    this.seek(this.time + seconds);
  }

  /** Play a stretch again and again; without one, go on behind it. @param {number|null} start @param {number} [end] */
  loop(start, end) {
    this.#loop = start === null ? null : { start, end };
    this.#part.loop.setAttribute("aria-pressed", String(start !== null));
    if (this.#loop && (this.time < start || this.time >= end)) this.seek(start);
    this.#showStretch();
  }

  /** Show the stretches of those who speak, in order. @param {{start: number, end: number, colour: number}[]} turns */
  setTurns(turns) {
    this.#waveform.setTurns(turns);
  }

  /**
   * Show a stretch whose borders can be moved, or none.
   * @param {{start: number, end: number, onChange: (start: number, end: number) => void}|null} stretch
   */
  select(stretch) {
    this.#stretch = stretch && { ...stretch };
    this.#showStretch();
  }

  /** Stop playing for good, before the element is removed. */
  close() {
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#waveform.close();
    this.#drop();
  }

  // What there is to hear -----------------------------------------------------------------------------------------------

  #show({ state, content_type: type, has_picture: hasPicture, has_copy: hasCopy, percentage, message }) {
    clearTimeout(this.#timer);
    const { recording, copy } = this.#element.dataset;
    const sources = [];
    if (type) sources.push({ src: recording, type });
    if (hasCopy) sources.push({ src: copy, type: "audio/mp4" });
    if (state === "missing") {
      this.#missing();
      return;
    }
    this.#fetchPeaks();
    if (sources.length && !this.#media && (hasCopy || !this.#refused)) this.#open(sources, Boolean(type) && hasPicture, hasCopy);
    if (this.#media) this.#note("");
    else if (state === "failed") this.#cannotBeHeard(message || undefined);
    else this.#note(`A copy to listen to is being made${percentage ? `: ${percentage}%` : ""}. It starts by itself to be heard here.`);
    if (!this.#media && state !== "failed") this.#timer = setTimeout(() => this.#look(), LOOK_AGAIN);
  }

  #cannotBeHeard(why = "The recording cannot be played here.") {
    this.#note(why);
    this.#part.failed.hidden = false;
    this.#part.body.hidden = true;
  }

  async #look() {
    try {
      const response = await fetch(this.#element.dataset.playback, { signal: this.#ended.signal });
      if (response.status === 404) return; // the task was deleted, which the page tells
      this.#show(await response.json());
    } catch {
      if (!this.#ended.signal.aborted) this.#timer = setTimeout(() => this.#look(), LOOK_AGAIN);
    }
  }

  #open(sources, hasPicture, hasCopy) {
    const media = document.createElement(hasPicture ? "video" : "audio");
    media.preload = "metadata";
    media.playsInline = true;
    media.preservesPitch = true;
    if (hasPicture) media.append(this.#captions());
    for (const { src, type } of sources) {
      const source = document.createElement("source");
      source.src = src;
      // Browsers play Matroska, though they say that they do not know it.
      if (type !== "video/x-matroska") source.type = type;
      media.append(source);
    }
    media.lastElementChild.addEventListener("error", () => this.#cannotPlay(hasCopy));
    const on = (name, listener) => media.addEventListener(name, listener);
    on("loadedmetadata", () => this.#ready());
    on("play", () => this.#started());
    on("pause", () => this.#stopped());
    on("seeked", () => this.#showTime());
    on("timeupdate", () => this.#keepInLoop());
    on("ended", () => this.#atEnd());
    on("error", () => media.error && this.#note("The connection was lost. Press play to go on."));
    media.volume = recalled("volume") ?? 1;
    this.#part.picture.replaceChildren(media);
    this.#part.picture.hidden = !hasPicture;
    this.#part.hide.hidden = !hasPicture;
    this.#media = media;
    this.speed = recalled("speed") ?? 1;
    this.#part.volume.value = media.volume;
  }

  #captions() {
    const track = document.createElement("track");
    track.kind = "captions";
    track.label = "Transcript";
    track.src = this.#element.dataset.captions;
    track.srclang = this.#element.dataset.language || "und";
    track.default = true;
    return track;
  }

  #drop() {
    this.#media?.pause();
    this.#media?.querySelectorAll("source").forEach((source) => source.remove());
    this.#media?.load(); // which ends its request
    this.#media?.remove();
    this.#media = null;
  }

  /** None of the sources plays here: is there a recording, and can a copy be had? */
  async #cannotPlay(hasCopy) {
    this.#drop();
    this.#refused = true;
    try {
      const there = await fetch(this.#element.dataset.recording, { method: "HEAD", signal: this.#ended.signal });
      if (there.status === 410) this.#missing();
      else if (!there.ok || hasCopy) this.#cannotBeHeard();
      else await this.#askForCopy();
    } catch {
      if (!this.#ended.signal.aborted) this.#timer = setTimeout(() => this.#cannotPlay(hasCopy), LOOK_AGAIN);
    }
  }

  async #askForCopy() {
    const headers = { "X-CSRFToken": this.#element.querySelector("[name=csrfmiddlewaretoken]").value };
    const response = await fetch(this.#element.dataset.copy, { method: "POST", headers, signal: this.#ended.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    this.#part.failed.hidden = true;
    this.#part.body.hidden = false;
    this.#show(await response.json());
  }

  #missing() {
    this.#drop();
    this.#part.body.hidden = true;
    this.#note("The recording is no longer kept here. The text stays.");
    queueMicrotask(() => this.dispatchEvent(new Event("missing"))); // after who made this player has begun to listen
  }

  async #fetchPeaks() {
    if (this.#hasPeaks) return;
    try {
      const response = await fetch(this.#element.dataset.peaks, { signal: this.#ended.signal });
      if (!response.ok) return;
      this.#waveform.setPeaks(await response.arrayBuffer());
      this.#hasPeaks = true;
    } catch {
      // It is heard without its waveform.
    }
  }

  #ready() {
    if (Number.isFinite(this.#media.duration)) this.#duration = this.#media.duration;
    this.#waveform.setDuration(this.#duration);
    this.#part.duration.textContent = clock(this.#duration);
    this.#part.position.max = this.#duration;
    for (const control of this.#element.querySelectorAll(":disabled")) control.disabled = false;
    if (this.#waiting !== null) this.#media.currentTime = this.#waiting;
    this.#waiting = null;
    this.#note("");
    this.#showTime();
    this.#showStretch();
    this.dispatchEvent(new Event("ready"));
  }

  #reload() {
    this.#waiting = this.#media.currentTime;
    this.#media.load();
  }

  // While it plays ------------------------------------------------------------------------------------------------------

  #started() {
    this.#showPlaying();
    this.dispatchEvent(new Event("play"));
    this.#offerMediaKeys();
    const frame = () => {
      if (!this.playing) return;
      this.#keepInLoop();
      this.#showTime();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  #stopped() {
    this.#showPlaying();
    this.#showTime();
    this.dispatchEvent(new Event("pause"));
  }

  /** Frames are not drawn while the page is hidden; the loop goes on there all the same. */
  #keepInLoop() {
    if (this.#loop && this.playing && this.#media.currentTime >= this.#loop.end) this.#media.currentTime = this.#loop.start;
  }

  #atEnd() {
    if (this.#loop) this.play(this.#loop.start);
  }

  #showPlaying() {
    this.#element.toggleAttribute("data-playing", this.playing);
    this.#part.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  #showTime() {
    const time = this.time;
    const shown = clock(time);
    if (this.#part.time.textContent !== shown) {
      this.#part.time.textContent = shown;
      this.#part.position.setAttribute("aria-valuetext", `${shown} of ${clock(this.#duration)}`);
    }
    this.#part.position.value = time;
    this.#waveform.setTime(time);
    this.dispatchEvent(new CustomEvent("time", { detail: { time } }));
  }

  #offerMediaKeys() {
    if (!navigator.mediaSession) return;
    navigator.mediaSession.metadata = new MediaMetadata({ title: this.#element.dataset.name });
    const actions = {
      play: () => this.play(),
      pause: () => this.pause(),
      seekbackward: ({ seekOffset }) => this.skip(-(seekOffset || STEP)),
      seekforward: ({ seekOffset }) => this.skip(seekOffset || STEP),
      seekto: ({ seekTime }) => this.seek(seekTime),
      previoustrack: () => this.skip(-STEP), // what foot pedals and headsets send
      nexttrack: () => this.skip(STEP),
    };
    for (const [action, work] of Object.entries(actions)) navigator.mediaSession.setActionHandler(action, work);
  }

  // Controls ------------------------------------------------------------------------------------------------------------

  #listen() {
    const { position, waveform, play, loop, speed, volume, hide } = this.#part;
    const { signal } = this.#ended;
    const on = (target, name, listener) => target.addEventListener(name, listener, { signal });
    on(document, "follow_up", ({ detail }) => detail.kind === "listening_copy" && !this.#media && this.#onFollowUp(detail));
    on(play, "click", () => this.toggle());
    on(this.#part.again, "click", () => this.#askForCopy().catch(() => this.#note("That did not work. Try again later.")));
    this.#element.querySelectorAll("[data-skip]").forEach((button) => on(button, "click", () => this.skip(Number(button.dataset.skip))));
    on(loop, "click", () => this.#toggleLoop());
    on(speed, "change", () => { this.speed = Number(speed.value); });
    on(volume, "input", () => {
      if (this.#media) this.#media.volume = volume.value;
      remember("volume", volume.value);
    });
    on(hide, "click", () => {
      this.#part.picture.hidden = !this.#part.picture.hidden;
      hide.setAttribute("aria-pressed", String(!this.#part.picture.hidden));
    });
    on(position, "keydown", (event) => this.#onPositionKey(event));
    on(position, "input", () => this.seek(Number(position.value))); // by assistive technology
    on(waveform, "pointerdown", (event) => this.#drag(event, (seconds) => this.seek(seconds)));
    this.#part.borders.forEach((border) => {
      on(border, "pointerdown", (event) => {
        event.stopPropagation();
        border.focus();
        this.#drag(event, (seconds) => this.#moveBorder(border, seconds), () => this.#tellChange());
      });
      on(border, "keydown", (event) => this.#onBorderKey(event, border));
    });
  }

  #onFollowUp({ state, percentage }) {
    if (state === "done" || state === "failed") this.#look();
    else this.#note(`A copy to listen to is being made: ${percentage}%.`);
  }

  #onPositionKey(event) {
    const moves = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP, Home: -Infinity, End: Infinity };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in moves)) return;
    event.preventDefault();
    this.skip(moves[event.key]);
  }

  #onBorderKey(event, border) {
    const moves = { ArrowLeft: -NUDGE, ArrowDown: -NUDGE, ArrowRight: NUDGE, ArrowUp: NUDGE, PageDown: -1, PageUp: 1 };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in moves)) return;
    event.preventDefault();
    this.#moveBorder(border, this.#shown[border.dataset.border] + moves[event.key]);
    this.#tellChange();
  }

  /** Follow the pointer until it is released: `move` is told the seconds under it. */
  #drag(event, move, done = () => {}) {
    if (event.button || !this.#duration) return;
    const target = event.currentTarget;
    const box = this.#part.waveform.getBoundingClientRect();
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
    if (target === this.#part.waveform) move(seconds(event));
  }

  #toggleLoop() {
    if (this.#loop) this.loop(null);
    else if (this.#stretch) this.loop(this.#stretch.start, this.#stretch.end);
    else this.loop(...this.#fromHere());
  }

  #fromHere() {
    const start = Math.max(Math.min(this.time, this.#duration - FIRST_LOOP), 0);
    return [start, Math.min(start + FIRST_LOOP, this.#duration)];
  }

  // The stretch ---------------------------------------------------------------------------------------------------------

  /** The stretch whose borders are shown. */
  get #shown() {
    return this.#stretch ?? this.#loop;
  }

  #moveBorder(border, seconds) {
    const shown = this.#shown;
    const isLooped = this.#loop && this.#loop.start === shown.start && this.#loop.end === shown.end;
    const place = Math.round(seconds * 1000) / 1000;
    if (border.dataset.border === "start") shown.start = Math.max(Math.min(place, shown.end - LEAST_STRETCH), 0);
    else shown.end = Math.min(Math.max(place, shown.start + LEAST_STRETCH), this.#duration);
    if (isLooped) Object.assign(this.#loop, { start: shown.start, end: shown.end });
    this.#showStretch();
  }

  #tellChange() {
    this.#stretch?.onChange?.(this.#stretch.start, this.#stretch.end);
  }

  #showStretch() {
    const shown = this.#shown;
    this.#waveform.setStretch(shown && { start: shown.start, end: shown.end });
    const { start, end } = this.#waveform.view;
    for (const border of this.#part.borders) {
      border.hidden = !shown || !this.#duration;
      if (!shown) continue;
      const at = shown[border.dataset.border];
      border.style.left = `${((at - start) / (end - start || 1)) * 100}%`;
      border.setAttribute("aria-valuemin", "0");
      border.setAttribute("aria-valuemax", this.#duration.toFixed(1));
      border.setAttribute("aria-valuenow", at.toFixed(1));
      border.setAttribute("aria-valuetext", `${clock(at)}.${Math.floor((at % 1) * 10)}`);
    }
    const isPart = start > 0 || end < this.#duration;
    this.#part.view.hidden = !isPart;
    this.#part.view.textContent = isPart ? `${clock(start)} – ${clock(end)}` : "";
  }

  #note(text) {
    if (this.#part.note.textContent !== text) this.#part.note.textContent = text;
    this.#part.note.hidden = !text;
  }
}

// Kept in this browser; it may be forbidden to keep anything.

function remember(name, value) {
  try {
    localStorage.setItem(`player.${name}`, value);
  } catch {
    // It is as always the next time.
  }
}

function recalled(name) {
  try {
    const value = localStorage.getItem(`player.${name}`);
    return value === null || Number.isNaN(Number(value)) ? null : Number(value);
  } catch {
    return null;
  }
}
