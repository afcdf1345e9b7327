/** Small choices kept in this browser, which may forbid to keep anything: then they hold until the page is left. */

/** @param {string} name @returns {string|null} */
export function recalled(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string|number} value */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It is as always the next time.
  }
}
