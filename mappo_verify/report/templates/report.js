"use strict";
// The page is complete without this: it only filters and sorts the table of verdicts.
(() => {
  const form = document.querySelector(".filters");
  const body = document.querySelector(".verdicts tbody");
  const rows = [...body.rows];
  const count = form.querySelector("output");
  const fields = form.elements;

  const filter = () => {
    const words = fields.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const data = row.dataset;
      const text = data.words.toLowerCase();
      row.hidden = !(
        words.every((word) => text.includes(word)) &&
        (!fields.standing.value || fields.standing.value === data.standing) &&
        (!fields.section.value || fields.section.value === data.section) &&
        (!fields.printed.checked || data.printed === "true")
      );
      shown += !row.hidden;
    }
    count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} claims`;
  };

  const severity = ["refuted", "untested", "supported", "survived", "proved"];
  const keys = {
    order: (row) => Number(row.dataset.order),
    standing: (row) => severity.indexOf(row.dataset.standing) * 1000 + Number(row.dataset.order),
  };
  for (const heading of document.querySelectorAll(".verdicts th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of document.querySelectorAll(".verdicts th[aria-sort]")) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = keys[heading.dataset.sort];
      rows.sort((one, two) => (down ? key(two) - key(one) : key(one) - key(two)));
      body.append(...rows);
    });
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
  // What is folded on screen is open on paper.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
})();
