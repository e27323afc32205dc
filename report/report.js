"use strict";
const dialog = document.querySelector("dialog");
let shown = null;

/* Larger versions wait as text, so that the page opens fast, and become pictures on demand. */
function open(button) {
  shown = button;
  const small = button.querySelector("img");
  const large = document.getElementById("large-" + button.dataset.picture);
  const image = dialog.querySelector("img");
  image.src = large ? "data:image/webp;base64," + large.textContent.trim() : small.src;
  image.alt = small.alt;
  dialog.querySelector("p").textContent = small.alt;
  if (!dialog.open) dialog.showModal();
}

function step(by) {
  const all = [...document.querySelectorAll(".pic")].filter((one) => one.offsetParent);
  const next = all[all.indexOf(shown) + by];
  if (next) open(next);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".pic");
  if (button) open(button);
});
dialog.addEventListener("click", (event) => {
  if (event.target.closest(".back")) step(-1);
  else if (event.target.closest(".on")) step(1);
  else dialog.close();
});
dialog.addEventListener("close", () => shown && shown.focus());
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th");
    const table = heading.closest("table");
    const column = [...heading.parentNode.children].indexOf(heading);
    const down = heading.getAttribute("aria-sort") !== "descending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => {
      const text = row.children[column].dataset.sort;
      return text === "" || text === undefined ? null : isNaN(text) ? text : +text;
    };
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((first, second) => {
      const [a, b] = [value(first), value(second)];
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === "string" ? String(a).localeCompare(b) : a - b;
      return down ? -order : order;
    });
    body.append(...rows);
  });
}

/* What is folded away on the screen is open on paper, except the rows of further trainings. */
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open], .more)")];
  for (const one of folded) one.open = true;
});
addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
