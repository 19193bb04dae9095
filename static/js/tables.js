// A table that is wider than its place is read as a list on a narrow screen: each cell beside the name of its column.
// What is laid out as a list is no table to a screen reader, so that the roles are said.
"use strict";

(() => {
  const narrow = window.matchMedia("(max-width: 760px)");
  const TABLES = ".scrolls > table:not(.waterfall), .definitions > table";
  const ROLES = { THEAD: "rowgroup", TBODY: "rowgroup", TFOOT: "rowgroup", TR: "row", TD: "cell" };
  let isAsked = false;

  const isBlank = (cell) => !cell.textContent.trim() && !cell.querySelector("img, svg, input, select, textarea, button, progress");

  function label(table) {
    if (table.hasAttribute("role")) return;
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    table.setAttribute("role", "table");
    for (const part of table.querySelectorAll("thead, tbody, tfoot, tr, td")) part.setAttribute("role", ROLES[part.tagName]);
    for (const cell of table.tHead.rows[0].cells) cell.setAttribute("role", "columnheader");
    for (const row of table.querySelectorAll("tbody > tr, tfoot > tr")) {
      let column = 0;
      for (const cell of row.cells) {
        if (cell.tagName === "TH") cell.setAttribute("role", "rowheader");
        if (column === 0) cell.classList.add("is-lead");
        else if (cell.colSpan === 1 && names[column]) cell.dataset.label = names[column];
        cell.classList.toggle("is-blank", isBlank(cell));
        column += cell.colSpan;
      }
    }
  }

  function lay(table) {
    table.classList.remove("is-stacked");
    const head = table.tHead;
    if (!narrow.matches || head?.rows.length !== 1 || table.scrollWidth <= table.parentElement.clientWidth) return;
    label(table);
    table.classList.add("is-stacked");
  }

  // Fragments that are swapped in bring tables of their own; they are laid out before they are painted.
  function ask() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      document.querySelectorAll(TABLES).forEach(lay);
    });
  }

  document.querySelectorAll(TABLES).forEach(lay);
  window.addEventListener("resize", ask);
  document.addEventListener("toggle", ask, true);
  new MutationObserver((changes) => {
    if (narrow.matches && changes.some((change) => [...change.addedNodes].some((node) => node.querySelector?.("table")))) ask();
  }).observe(document.querySelector("main"), { childList: true, subtree: true });
})();
