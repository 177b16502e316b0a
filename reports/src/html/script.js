(() => {
"use strict";
// Nothing here is needed to read the page: it sorts, filters, copies and zooms what stands in it already.
const make = (name, props, parent) => Object.assign(parent.appendChild(document.createElement(name)), props);
const mine = (element) => (element.dataset.script = "", element);
const units = { B: 1, KiB: 1024, MiB: 1048576, GiB: 1073741824, "µs": 1, ms: 1e3, s: 1e6 };
const worth = (cell) => {
  if (cell.dataset.v !== undefined) return +cell.dataset.v;
  const found = /^\s*([+−-]?)([\d,]+(?:\.\d+)?)\s*([A-Za-zµ]*)/.exec(cell.textContent);
  if (!found) return NaN;
  return (found[1] && found[1] !== "+" ? -1 : 1) * found[2].replace(/,/g, "") * (units[found[3]] ?? 1);
};

// A heading is a button that sorts by its column: least first, then most first.
for (const table of document.querySelectorAll(".scroll > table")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 3 || table.closest("figure")) continue;
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    const button = document.createElement("button");
    button.className = "sort";
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => (at === 0 || !head.classList.contains("num") ? row.cells[at].textContent : worth(row.cells[at]));
      const rows = [...body.rows].map((row) => [key(row), row]);
      const lost = (value) => typeof value === "number" && Number.isNaN(value);
      rows.sort(([a], [b]) => lost(a) - lost(b) || (typeof a === "number" ? a - b : a.localeCompare(b)) * (down ? -1 : 1));
      body.append(...rows.map(([, row]) => row));
    });
  });
}

// A button below each table that stands in the open copies it as Markdown.
const line = (row) => "| " + [...row.cells].map((cell) => cell.innerText.trim().replace(/\s+/g, " ").replace(/\|/g, "\\|")).join(" | ") + " |";
for (const scroll of document.querySelectorAll("section > .scroll[id]")) {
  const table = scroll.querySelector("table");
  const button = mine(make("button", { type: "button", className: "tool", textContent: "Copy as Markdown" }, document.body));
  button.setAttribute("aria-label", "Copy as Markdown: " + scroll.getAttribute("aria-label"));
  scroll.after(button);
  button.addEventListener("click", async () => {
    const [head, ...rows] = [...table.rows].filter((row) => !row.hidden).map(line);
    const rule = "|" + [...table.rows[0].cells].map((cell) => (cell.classList.contains("num") ? "---:|" : "---|")).join("");
    let done = true;
    await navigator.clipboard.writeText([head, rule, ...rows].join("\n") + "\n").catch(() => (done = false));
    button.textContent = done ? "Copied" : "The browser refused";
    setTimeout(() => (button.textContent = "Copy as Markdown"), 1500);
  });
}

// Long tables can be searched by the names of their rows.
for (const scroll of document.querySelectorAll(".scroll")) {
  const rows = [...scroll.querySelectorAll("tbody tr")];
  if (rows.length < 16 || scroll.closest("figure")) continue;
  const label = mine(document.createElement("label"));
  label.className = "tool";
  label.append("Rows with ");
  const input = make("input", { type: "search" }, label);
  input.setAttribute("aria-label", "Rows with, " + scroll.getAttribute("aria-label"));
  scroll.before(label);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  });
}

// A budget, and how many requests in flight: which levels fit.
const pick = document.getElementById("table-pick");
if (pick) {
  const form = mine(document.createElement("form"));
  form.className = "budget";
  const field = (text, value) => {
    const label = make("label", {}, form);
    label.append(text + " ");
    return make("input", { type: "number", min: 1, value, required: true }, label);
  };
  const memory = field("Memory, MiB", 16);
  const flight = field("requests in flight", 100);
  const told = make("output", {}, form);
  pick.before(form);
  const rows = [...pick.querySelectorAll("tbody tr")];
  const judge = () => {
    const fits = [];
    for (const row of rows) {
      const { rest, each } = row.dataset;
      const more = flight.value - 1;
      const need = more > 0 && each === undefined ? NaN : +rest + (more > 0 ? more * each : 0);
      const fit = need <= memory.value * 1048576;
      row.classList.toggle("fit", fit);
      row.classList.toggle("unfit", !fit);
      if (fit) fits.push(row.cells[0].textContent.trim());
    }
    told.textContent = fits.length ? "fits: " + fits.join(", ") : "nothing that was measured fits";
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", judge);
  judge();
}

// A box of a flame graph, clicked, takes the whole width; clicked again, gives it back.
for (const svg of document.querySelectorAll("svg.flame")) {
  const boxes = [...svg.querySelectorAll("svg.box")].map((box) => {
    const left = parseFloat(box.getAttribute("x")), wide = parseFloat(box.getAttribute("width"));
    return { box, left, wide, right: left + wide, top: +box.getAttribute("y"), text: box.querySelector("text") };
  });
  let chosen = null;
  const zoom = (to) => {
    chosen = to;
    const [from, span] = to ? [to.left, to.wide] : [0, 100];
    for (const { box, left, wide, right, top, text } of boxes) {
      const outside = to && (right <= from + 0.001 || left >= from + span - 0.001);
      const above = to && top < to.top;
      box.style.display = outside ? "none" : "";
      const [x, w] = above ? [0, 100] : [((left - from) / span) * 100, (wide / span) * 100];
      box.setAttribute("x", x + "%");
      box.setAttribute("width", w + "%");
      box.style.width = w + "%";
      if (text) text.style.display = w > 3 ? "" : "none";
    }
  };
  for (const one of boxes) one.box.addEventListener("click", () => zoom(chosen === one ? null : one));
}

// What a link leads to may be folded away.
const unfold = () => {
  let at = document.getElementById(location.hash.slice(1));
  for (; at; at = at.parentElement) if (at.localName === "details") at.open = true;
};
addEventListener("hashchange", unfold);
unfold();
})();
