"use strict";

/* A click on a column's head sorts its table, a second one turns the order around. Without this
   script the tables stand as they were written. */

const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

/* Numbers stand before texts; both groups have their own order. */
function compare(a, b) {
  const numbers = [a, b].map((cell) => "value" in cell.dataset);
  if (numbers[0] && numbers[1]) {
    const [x, y] = [Number(a.dataset.value), Number(b.dataset.value)];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (numbers[0] !== numbers[1]) {
    return numbers[0] ? -1 : 1;
  }
  return collator.compare(a.textContent, b.textContent);
}

/* What is empty stays at the end in either order. */
function sort(body, column, direction) {
  const rows = [...body.rows].map((row) => ({ row, cell: row.cells[column] }));
  const filled = rows.filter(({ cell }) => cell.textContent !== "");
  const empty = rows.filter(({ cell }) => cell.textContent === "");
  filled.sort((a, b) => direction * compare(a.cell, b.cell));
  body.append(...[...filled, ...empty].map(({ row }) => row));
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    /* No <button>: browsers leave those out where a head is printed again on the next page. */
    const button = document.createElement("span");
    button.setAttribute("role", "button");
    button.tabIndex = 0;
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        button.click();
      }
    });
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", other === head ? order : "none"));
      sort(table.tBodies[0], column, order === "ascending" ? 1 : -1);
    });
  });
}

for (const table of document.querySelectorAll("table:not(.entries)")) {
  if (table.tBodies[0].rows.length > 1) {
    makeSortable(table);
  }
}
