"use strict";
// Click on a column's head to sort by it; numbers by value, the rest as text.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.sort ?? cell.textContent;
    const number = Number(text.replaceAll(",", ""));
    return text.trim() === "" || Number.isNaN(number) ? text : number;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (up ? 1 : -1) * compare(value(a, column), value(b, column)));
      table.tBodies[0].append(...rows);
    });
  });
}
// One figure alone, where all are too many.
const choice = document.getElementById("picture");
const pictures = [...document.querySelectorAll(".picture")];
pictures.forEach((picture, at) => choice.add(new Option(picture.querySelector("h3").textContent, at)));
choice.closest("p").hidden = pictures.length < 2;
choice.addEventListener("change", () =>
  pictures.forEach((picture, at) => { picture.hidden = choice.value !== "" && choice.value !== String(at); }));
// A finger can't point at a token: a tap says its bits below the example.
document.addEventListener("click", (event) => {
  const told = event.target.closest?.(".t[title]") && event.target.closest("article")?.querySelector(".told");
  if (told) told.textContent = `${event.target.textContent.trim() || "white space"}: ${event.target.title}`;
});
// What belongs on paper is printed open.
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details[data-print]:not([open])")];
  closed.forEach((details) => { details.open = true; });
});
addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));
// A link into something closed opens it.
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let up = target; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", open);
open();
