/**
 * Saving: one change after the other is sent; what is typed is kept in the browser until the server has it.
 */

import { Lines, plain } from "./lines.js";

const PAUSE = 600; // milliseconds without a key, after which typing is saved
const LONGEST = 4000; // milliseconds after which it is saved although somebody types on
const RETRY = 2000; // milliseconds, doubled up to
const LONGEST_RETRY = 15_000;
const PREFIX = "unsaved:";

/** A change that the server did not make. `network`: it could not be asked. */
export class Refused extends Error {
  /** @param {{code?: string, message?: string, yours?: object, theirs?: object[]}} error @param {number} status */
  constructor(error = {}, status = 0) {
    super(error.message ?? "The server cannot be reached.");
    Object.assign(this, { code: error.code, yours: error.yours, theirs: error.theirs, status });
    this.network = status === 0 || status >= 500;
  }
}

/** Events: `state` (detail: saved, unsaved, away or login), `applied` (detail: lines), `conflict` and `refused`. */
export class Saving extends EventTarget {
  /** @param {{lines: Lines, address: string, task: string}} what */
  constructor({ lines, address, task }) {
    super();
    Object.assign(this, { lines, address });
    this.revision = 0;
    /** Lines with unsaved text. @type {Set<import("./lines.js").Line>} */
    this.typed = new Set();
    /** Lines whose text the server refused until it is changed. @type {Map<object, string>} */
    this.refused = new Map();
    this.queue = Promise.resolve();
    this.wait = RETRY;
    this.prefix = `${PREFIX}${task}:`;
    this.key = `${this.prefix}${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
    // Whoever holds this lock still has the page open, so that nobody else offers what is kept under its key.
    navigator.locks?.request(this.key, () => new Promise((resolve) => (this.release = resolve)));
  }

  close() {
    clearTimeout(this.timer);
    this.release?.();
    this.closed = true;
  }

  // Typing -----------------------------------------------------------------------------------------------------------

  /** The text of a line is no longer that of the server. @param {import("./lines.js").Line} line */
  onTyped(line) {
    if (plain(line.p.textContent) === line.text) this.typed.delete(line);
    else this.typed.add(line);
    this.refused.delete(line);
    this.#keep();
    if (!this.typed.size) {
      this.#say("saved");
      return;
    }
    this.#say("unsaved");
    this.since ??= performance.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), Math.max(0, Math.min(PAUSE, this.since + LONGEST - performance.now())));
  }

  isHeld = (line) => this.typed.has(line) && !this.sent?.has(line.id);

  /** Send what was typed so far. @returns {Promise<void>} */
  save({ keepalive = false } = {}) {
    return this.#inTurn(() => this.#saveNow(keepalive)).catch((error) => this.#onFailure(error));
  }

  async #saveNow(keepalive = false) {
    clearTimeout(this.timer);
    this.since = undefined;
    for (;;) {
      const lines = [...this.typed].filter((line) => plain(line.p.textContent) && !this.refused.has(line));
      if (!lines.length) break;
      const sent = new Map(lines.map((line) => [line.id, plain(line.p.textContent)]));
      this.sent = sent;
      try {
        await this.#post("text", { texts: Object.fromEntries(sent) }, keepalive);
      } catch (error) {
        if (error.network || error.status === 401 || error.status === 403) throw error;
        const line = (error.yours && this.lines.byId.get(error.yours.id)) ?? lines[0];
        this.typed.delete(line);
        if (error.theirs?.length === 1 && error.theirs[0].text === sent.get(line.id)) {
          await this.catchUpNow(); // an earlier attempt had reached the server
        } else if (error.theirs) {
          this.#dispatch("conflict", { line, text: sent.get(line.id), error });
        } else {
          this.typed.add(line);
          this.refused.set(line, error.message);
          this.#dispatch("refused", { line, error });
        }
      } finally {
        this.sent = undefined;
      }
      for (const line of lines) if (plain(line.p.textContent) === line.text) this.typed.delete(line);
      this.#keep();
    }
    this.#say(this.typed.size ? "unsaved" : "saved");
  }

  #onFailure(error) {
    if (!(error instanceof Refused)) throw error;
    clearTimeout(this.timer);
    if (error.status === 401) this.#say("login");
    else this.#say("away");
    this.timer = setTimeout(() => this.save(), this.wait);
    this.wait = Math.min(LONGEST_RETRY, this.wait * 2);
  }

  /** The network may be back: do not wait any longer. */
  tryNow() {
    this.wait = RETRY;
    if (this.typed.size) this.save();
  }

  // Other changes ----------------------------------------------------------------------------------------------------

  /**
   * Make a change, after what was typed is saved. The segments in `what` are given as lines, whose identifiers may still
   * change until it is sent.
   * @param {string} kind @param {(id: (line: object) => number) => object} what
   * @returns {Promise<{made: number, touched: object[]}>} rejects with Refused
   */
  change(kind, what = () => ({})) {
    return this.#inTurn(async () => {
      try {
        await this.#saveNow();
        return await this.#post(kind, what((line) => line.id));
      } catch (error) {
        if (error.network || error.status === 401) this.#onFailure(error);
        throw error;
      }
    });
  }

  /** Show a line as others left it, whatever was typed in it. @param {object} line @param {number} changedIn revision */
  yieldTo(line, changedIn) {
    return this.#inTurn(async () => {
      this.typed.delete(line);
      line.p.textContent = line.text;
      this.revision = Math.min(this.revision, changedIn - 1);
      await this.catchUpNow();
      this.#keep();
      this.#say(this.typed.size ? "unsaved" : "saved");
    });
  }

  /** Fetch what others changed. */
  catchUp() {
    return this.#inTurn(() => this.catchUpNow()).catch(() => {});
  }

  async catchUpNow() {
    const response = await reach(`${this.address}?after=${this.revision}`, { headers: { Accept: "application/json" } });
    this.#apply(response);
  }

  async #post(kind, what, keepalive = false) {
    const response = await reach(this.address, {
      method: "POST",
      keepalive,
      headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
      body: JSON.stringify({ kind, from_revision: this.revision, ...what }),
    });
    this.wait = RETRY;
    return { made: response.made, touched: this.#apply(response) };
  }

  #apply(response) {
    if (response.revision < this.revision) return [];
    this.revision = response.revision;
    const touched = this.lines.apply(response, this.isHeld);
    this.#dispatch("applied", { touched, alternatives: response.alternatives });
    return touched;
  }

  #inTurn(work) {
    const result = this.queue.then(work);
    this.queue = result.catch(() => {});
    return result;
  }

  // What is kept in the browser --------------------------------------------------------------------------------------

  /** @typedef {{id: number, start: number, was: string, text: string, at: number}} Kept */

  #keep() {
    try {
      if (!this.typed.size) {
        localStorage.removeItem(this.key);
        return;
      }
      const kept = [...this.typed].map(({ id, start, text, p }) => ({ id, start, was: text, text: p.textContent, at: Date.now() }));
      localStorage.setItem(this.key, JSON.stringify(kept));
    } catch {
      // There is no room, or storage is forbidden: it is kept on the page only.
    }
  }

  /** What earlier visits left unsaved, and is not in the transcript. @returns {Promise<Kept[]>} */
  async left() {
    const { held = [] } = (await navigator.locks?.query()) ?? {};
    const inUse = new Set([this.key, ...held.map((lock) => lock.name)]);
    /** @type {Kept[]} */
    const found = [];
    this.leftKeys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix) && !inUse.has(key));
    for (const key of this.leftKeys) {
      for (const kept of parsed(localStorage.getItem(key))) {
        const same = [this.lines.byId.get(kept.id), this.lines.at(kept.start)];
        if (plain(kept.text) && !same.some((line) => line?.text === plain(kept.text))) found.push(kept);
      }
    }
    if (!found.length) this.forgetLeft();
    return found;
  }

  forgetLeft() {
    for (const key of this.leftKeys) localStorage.removeItem(key);
  }

  /** Save what an earlier visit left. @param {Kept[]} kept */
  async takeUp(kept) {
    for (const { id, start, text, was } of kept) {
      let line = this.lines.byId.get(id);
      if (!line) {
        const now = this.lines.at(start);
        if (now?.text !== was) {
          this.#dispatch("conflict", { line: now, text: plain(text), error: { theirs: now ? [now] : [] } });
          continue;
        }
        line = now;
      }
      line.p.textContent = text;
      this.onTyped(line);
    }
    this.forgetLeft();
    await this.save();
  }

  #say(state) {
    this.state = state;
    this.#dispatch("state", { state });
  }

  #dispatch(type, detail) {
    if (!this.closed) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The answer of the server; rejects with Refused. @param {string} address @param {RequestInit} how */
export async function reach(address, how) {
  let response;
  try {
    response = await fetch(address, how);
  } catch {
    throw new Refused();
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error, response.status);
  return body;
}

/** @param {string} name @returns {string} */
export function cookie(name) {
  return document.cookie.split("; ").find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? [];
  } catch {
    return [];
  }
}
