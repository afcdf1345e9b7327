/** The dialog in which speakers are named and merged. */

import { Lines } from "./lines.js";

export class Speakers {
  /** @param {{lines: Lines, onName: (label: string, name: string) => Promise, onMerge: (label: string, into: string) => Promise}} what */
  constructor({ lines, onName, onMerge }) {
    Object.assign(this, { lines, onName, onMerge });
    this.dialog = document.getElementById("speakers-dialog");
    this.list = document.getElementById("speaker-list");
    this.template = document.getElementById("speaker-row").content.firstElementChild;
    // Enter in a field names the speaker; it does not close the dialog.
    this.list.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
      event.preventDefault();
      event.target.blur();
    });
  }

  /** @param {string} [label] of the speaker whose name is to be written */
  open(label) {
    this.show();
    this.dialog.showModal();
    const shown = this.lines.speakers.get(label)?.same_as ?? label;
    (this.list.querySelector(`[data-label="${CSS.escape(shown ?? "")}"] input`) ?? this.list.querySelector("input"))?.select();
  }

  /** Render the list anew, if the dialog is open or about to be. */
  show() {
    const people = this.lines.people;
    const focused = document.activeElement?.closest("[data-label]")?.dataset.label;
    this.list.replaceChildren(...people.map((speaker) => this.#row(speaker, people)));
    if (focused) this.list.querySelector(`[data-label="${CSS.escape(focused)}"] input`)?.focus();
  }

  #row(speaker, people) {
    const row = this.template.cloneNode(true);
    const name = this.lines.nameOf(speaker.label);
    row.dataset.label = speaker.label;
    const shown = row.querySelector(".speaker");
    shown.classList.add(`speaker-${speaker.colour}`);
    shown.textContent = name;
    const input = row.querySelector("input");
    const written = speaker.name === speaker.label ? "" : speaker.name;
    input.value = written;
    input.addEventListener("change", () => this.onName(speaker.label, input.value));
    const select = row.querySelector("select");
    select.add(new Option("nobody else", ""));
    for (const other of people) {
      if (other !== speaker) select.add(new Option(this.lines.nameOf(other.label), other.label));
    }
    select.addEventListener("change", () => select.value && this.onMerge(speaker.label, select.value));
    return row;
  }
}
