/** Somebody else changed a line while its text was being corrected here: both versions, to choose from. */

/**
 * @param {object} what
 * @param {import("./lines.js").Line} what.line
 * @param {string} what.mine
 * @param {string[]} what.theirs none if the line was deleted
 * @param {(keep: "mine"|"theirs") => void} what.onChoice
 */
export function showConflict({ line, mine, theirs, onChoice }) {
  hideConflict(line);
  const panel = document.createElement("div");
  panel.className = "conflict";
  panel.setAttribute("role", "alert");
  const heading = document.createElement("p");
  heading.textContent = theirs.length
    ? "Somebody changed this line while you did. Which text shall it be?"
    : "Somebody deleted this line while you corrected it.";
  panel.append(heading);
  for (const [keep, title, texts] of [
    ["mine", "Yours", [mine]],
    ["theirs", "Theirs", theirs],
  ]) {
    const choice = document.createElement("div");
    choice.className = "choice";
    const text = document.createElement("p");
    const label = document.createElement("b");
    label.textContent = `${title}: `;
    text.append(label, texts.join(" / ") || "deleted");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet";
    button.dataset.keep = keep;
    button.textContent = keep === "mine" ? "Keep mine" : "Keep theirs";
    button.addEventListener("click", () => {
      panel.remove();
      onChoice(keep);
    });
    choice.append(text, button);
    panel.append(choice);
  }
  line.row.after(panel);
}

/** @param {import("./lines.js").Line} line */
function hideConflict(line) {
  if (line.row.nextElementSibling?.matches(".conflict")) line.row.nextElementSibling.remove();
}
