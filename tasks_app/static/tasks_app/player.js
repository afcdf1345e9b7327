/**
 * Plays a task's recording, or its listening copy where the browser cannot play that.
 *
 * Events: `time` (detail.time, with every frame while it plays), `play`, `pause`, `ready`, and `missing` if the recording
 * is no longer kept. What the page learns of the making of a copy it passes on as the document's event `follow_up`.
 */

import { recalled, remember } from "./preferences.js";
import { Stretch } from "./stretch.js";
import { Waveform } from "./waveform.js";
import { clock } from "./words.js";

const SLOWEST = 0.5;
const FASTEST = 3;
const STEP = 5; // seconds, of the arrow keys
const LEAP = 60; // seconds, of the page keys
const LOOK_AGAIN = 5000; // milliseconds

export class Player extends EventTarget {
  #element;
  #media = null;
  #waveform;
  #part = {};
  #stretch;
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
    for (const name of ["note", "failed", "again", "body", "picture", "position", "play", "time", "duration", "loop", "speed", "volume", "hide"]) {
      this.#part[name] = element.querySelector(`[data-${name}]`);
    }
    this.#waveform = new Waveform(element.querySelector("canvas"));
    this.#stretch = new Stretch({ element, waveform: this.#waveform, player: this, signal: this.#ended.signal });
    this.#setDuration(Number(element.dataset.duration));
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
    remember("player.speed", nearest);
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
    this.#part.loop.setAttribute("aria-pressed", String(start !== null));
    if (start !== null && (this.time < start || this.time >= end)) this.seek(start);
    this.#stretch.loop(start === null ? null : { start, end });
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
    this.#stretch.select(stretch);
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
    media.volume = recalledNumber("volume") ?? 1;
    this.#part.picture.replaceChildren(media);
    this.#part.picture.hidden = !hasPicture;
    this.#part.hide.hidden = !hasPicture;
    this.#media = media;
    this.speed = recalledNumber("speed") ?? 1;
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
    if (Number.isFinite(this.#media.duration)) this.#setDuration(this.#media.duration);
    this.#part.duration.textContent = clock(this.#duration);
    this.#part.position.max = this.#duration;
    for (const control of this.#element.querySelectorAll(":disabled")) control.disabled = false;
    if (this.#waiting !== null) this.#media.currentTime = this.#waiting;
    this.#waiting = null;
    this.#note("");
    this.#showTime();
    this.dispatchEvent(new Event("ready"));
  }

  #setDuration(seconds) {
    this.#duration = seconds;
    this.#waveform.setDuration(seconds);
    this.#stretch.show();
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
    const { looped } = this.#stretch;
    if (looped && this.playing && this.#media.currentTime >= looped.end) this.#media.currentTime = looped.start;
  }

  #atEnd() {
    if (this.#stretch.looped) this.play(this.#stretch.looped.start);
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
    const { position, play, loop, speed, volume, hide } = this.#part;
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
      remember("player.volume", volume.value);
    });
    on(hide, "click", () => {
      this.#part.picture.hidden = !this.#part.picture.hidden;
      hide.setAttribute("aria-pressed", String(!this.#part.picture.hidden));
    });
    on(position, "keydown", (event) => this.#onPositionKey(event));
    on(position, "input", () => this.seek(Number(position.value))); // by assistive technology
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

  #toggleLoop() {
    if (this.#stretch.looped) this.loop(null);
    else this.loop(...this.#stretch.toLoop());
  }

  #note(text) {
    if (this.#part.note.textContent !== text) this.#part.note.textContent = text;
    this.#part.note.hidden = !text;
  }
}

function recalledNumber(name) {
  const value = Number.parseFloat(recalled(`player.${name}`));
  return Number.isNaN(value) ? null : value;
}
