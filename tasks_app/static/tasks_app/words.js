/** Numbers as text for people, worded exactly as in Python's wording.py. */

/** @param {number} seconds @returns {string} `0:07`, `12:34` or `1:02:03` */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** @param {number|null} seconds @returns {string} words, or nothing for null */
export function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 10) return "a few seconds left";
  if (seconds < 55) return "less than a minute left";
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${counted(minutes, "minute")} left`;
  const rest = minutes % 60;
  return `about ${counted(Math.floor(minutes / 60), "hour")}${rest ? ` ${counted(rest, "minute")}` : ""} left`;
}

/** @param {number} bytes @returns {string} */
export function fileSize(bytes) {
  if (bytes < 1e3) return counted(bytes, "byte");
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

const dateAndTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});

/** Show the server's times in the reader's time zone. @param {ParentNode} root */
export function localiseTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = dateAndTime.format(new Date(time.dateTime));
  }
}

function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
