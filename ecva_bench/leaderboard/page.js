// Sorts a table by the column whose heading is pressed: first the largest, then the smallest, rows without a number
// last. Lets a reader leave out columns, and unfolds what a link leads to. Without this script the tables are complete
// and in their own order.
"use strict";

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const order = heading.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", order);
      body.append(...[...body.rows].sort(comparison(column, order === "ascending" ? 1 : -1)));
    });
  });
}

function comparison(column, sign) {
  return (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[column]);
    const numbers = [a, b].map((cell) => cell.dataset.value);
    if (numbers.every((value) => value !== undefined)) return sign * (numbers[0] - numbers[1]);
    if (numbers.some((value) => value !== undefined)) return numbers[0] === undefined ? 1 : -1;
    return -sign * a.textContent.localeCompare(b.textContent);
  };
}

for (const line of document.querySelectorAll(".columns li")) {
  const table = line.closest("section").querySelector("table");
  const box = document.createElement("input");
  const label = document.createElement("label");
  box.type = "checkbox";
  box.checked = true;
  label.append(box, " ", ...line.childNodes);
  line.append(label);
  box.addEventListener("change", () => {
    for (const row of table.rows) row.cells[line.dataset.column].hidden = !box.checked;
  });
}

function unfold() {
  const fold = document.getElementById(location.hash.slice(1))?.closest("details");
  if (fold) fold.open = true;
}

addEventListener("hashchange", unfold);
unfold();
