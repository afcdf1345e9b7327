/** A connection that stays up: a WebSocket that reconnects with back-off, and polling while there is none. */

const FIRST_WAIT = 1000; // milliseconds, doubled after every failure
const LONGEST_WAIT = 10_000;
const SILENCE = 40_000; // the server sends a heartbeat every 30 s
const PATIENCE = 8000; // for the answer to a ping
const FAILURES_BEFORE_CHECKING = 2;
const RETRY_WAIT = 3000;
const GONE = 4404;
const NOT_ALLOWED = 4401;
const OPEN = 1; // a socket's readyState

/** Thrown by `check` when the task no longer exists. */
export class Gone extends Error {}

export class LiveConnection {
  /**
   * @param {object} how
   * @param {string} how.path path of the WebSocket
   * @param {(frame: object) => void} how.onFrame progress, segment and error frames that are newer than what came before
   * @param {() => Promise<void>} how.check fetches the present state; throws Gone if there is none
   * @param {number} how.checkEvery seconds between two checks
   * @param {string} [how.task] the only task shown: just its unseen frames are requested
   * @param {() => void} [how.onGone] the task was deleted
   * @param {() => void} [how.onHeartbeat] called at every heartbeat, and when the connection opens again
   * @param {HTMLElement|null} how.shownIn element that shows the state of the connection
   */
  constructor({ path, onFrame, check, checkEvery, task, onGone = () => {}, onHeartbeat = () => {}, shownIn }) {
    Object.assign(this, { onFrame, check, checkEvery, task, onGone, onHeartbeat, shownIn });
    this.url = new URL(path, location.href);
    this.url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    /** Newest sequence seen, by task. @type {Map<string, number>} */
    this.newest = new Map();
    this.failures = 0;
    this.ended = false;
    this.checking = false;
  }

  start() {
    this.#connect();
    addEventListener("online", () => this.#reconnectNow());
    addEventListener("pageshow", (event) => event.persisted && this.#reconnectNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#reconnectNow());
  }

  stop() {
    this.ended = true;
    clearTimeout(this.retry);
    clearTimeout(this.watchdog);
    this.socket?.close();
    this.show(null);
  }

  /** Mark what the server rendered as seen. @param {string} task @param {number} sequence */
  saw(task, sequence) {
    this.newest.set(task, Math.max(sequence, this.newest.get(task) ?? -1));
  }

  /** Show the state in another element, after the old one was replaced. @param {HTMLElement|null} element */
  showIn(element) {
    this.shownIn = element;
    this.show(this.state);
  }

  /** @param {"live"|"reconnecting"|"checking"|"away"|null|undefined} state */
  show(state) {
    this.state = state;
    if (!this.shownIn) return;
    const words = {
      live: "Live",
      reconnecting: "Reconnecting…",
      checking: `Checking every ${this.checkEvery} s`,
      away: "No connection. Trying again…",
    };
    this.shownIn.hidden = !state;
    this.shownIn.dataset.state = state ?? "";
    this.shownIn.textContent = words[state] ?? "";
  }

  #connect() {
    clearTimeout(this.retry);
    if (this.task) this.url.search = new URLSearchParams({ batch: 1, after: this.newest.get(this.task) ?? "" });
    let socket;
    try {
      socket = new WebSocket(this.url);
    } catch {
      this.#wait(); // not supported, or forbidden by a policy
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      this.failures = 0;
      this.show("live");
      this.#watch();
      if (this.wasOpen) this.onHeartbeat();
      this.wasOpen = true;
    };
    socket.onmessage = (event) => {
      this.#watch();
      this.#receive(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (socket !== this.socket || this.ended) return;
      clearTimeout(this.watchdog);
      if (event.code === GONE) {
        this.stop();
        this.onGone();
        return;
      }
      if (event.code === NOT_ALLOWED) {
        location.reload(); // to the login page
        return;
      }
      this.#wait();
    };
  }

  #receive(frame) {
    if (frame.type === "segments") {
      frame.segments.forEach((segment) => this.#receive(segment));
      return;
    }
    if (frame.type === "heartbeat") this.onHeartbeat();
    if (frame.sequence !== undefined) {
      if (frame.sequence <= (this.newest.get(frame.task_id) ?? -1)) return;
      this.newest.set(frame.task_id, frame.sequence);
    }
    if (frame.type !== "heartbeat" && frame.type !== "pong") this.onFrame(frame);
  }

  /** A connection can die unnoticed: ping after a long silence, and give up if no answer comes. */
  #watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      if (this.socket.readyState === OPEN) this.socket.send(JSON.stringify({ type: "ping" }));
      this.watchdog = setTimeout(() => this.#abandon(), PATIENCE);
    }, SILENCE);
  }

  #abandon() {
    const socket = this.socket;
    this.socket = null;
    socket.close();
    this.#wait();
  }

  #wait() {
    this.failures += 1;
    if (this.failures < FAILURES_BEFORE_CHECKING) this.show("reconnecting");
    else this.#keepChecking();
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.failures - 1));
    // Random, or every open page would reconnect at the same moment after a restart.
    this.retry = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  /** The page is visible again, or the network is back: reconnect without waiting for the back-off. */
  #reconnectNow() {
    if (this.ended || (this.socket && this.socket.readyState <= OPEN)) return;
    this.#connect();
  }

  async #keepChecking() {
    if (this.checking) return;
    this.checking = true;
    while (!this.ended && this.socket?.readyState !== OPEN) {
      try {
        await this.check();
        if (this.socket?.readyState !== OPEN) this.show("checking");
      } catch (error) {
        if (error instanceof Gone) {
          this.stop();
          this.onGone();
          break;
        }
        this.show("away");
      }
      await new Promise((resolve) => setTimeout(resolve, this.checkEvery * 1000));
    }
    this.checking = false;
  }
}

/**
 * Fetch this page again, as the server renders it now.
 * @returns {Promise<Document>}
 */
export async function freshPage() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (response.status === 404) throw new Gone();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  // The only redirect there is leads to the login page.
  if (response.redirected) location.reload();
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/**
 * Never run `work` twice at once: a call while it runs makes it run once more afterwards; if it fails, it is retried.
 * @param {() => Promise<void>} work
 * @returns {() => Promise<void>}
 */
export function oneAtATime(work) {
  let running = false;
  let again = false;
  return async function run() {
    again = running;
    if (running) return;
    running = true;
    try {
      await work();
    } catch {
      setTimeout(run, RETRY_WAIT);
    }
    running = false;
    if (again) run();
  };
}
