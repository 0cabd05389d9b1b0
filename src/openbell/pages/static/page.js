// Theme, sorting and finding: what every page can do.
"use strict";

(function () {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");

  function theme() {
    return root.dataset.theme || (dark.matches ? "dark" : "light");
  }

  function changed() {
    if (button) button.textContent = theme() === "dark" ? "light" : "dark";
    document.dispatchEvent(new Event("themechange"));
  }

  if (button) {
    button.addEventListener("click", function () {
      root.dataset.theme = theme() === "dark" ? "light" : "dark";
      changed();
    });
    dark.addEventListener("change", changed);
    changed();
  }

  function value(row, column) {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  }

  function sort(heading) {
    const table = heading.closest("table");
    const column = heading.cellIndex;
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const rows = Array.from(table.tBodies[0].rows);
    rows.sort(function (a, b) {
      const x = value(a, column), y = value(b, column);
      const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
      return ascending ? order : -order;
    });
    table.tBodies[0].append(...rows);
  }

  for (const name of document.querySelectorAll(".sort"))
    name.addEventListener("click", function () { sort(name.closest("th")); });

  const filter = document.getElementById("filter");
  if (filter)
    filter.addEventListener("input", function () {
      const wanted = filter.value.toLowerCase();
      const rows = Array.from(document.getElementById(filter.dataset.table).tBodies[0].rows);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      document.getElementById("filter-count").textContent = wanted ? shown + " of " + rows.length : "";
    });
})();
