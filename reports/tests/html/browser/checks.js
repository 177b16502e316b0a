// What the page is asked. Each question gives a list of complaints, empty where all is well.
({
  unfold() {
    for (const details of document.querySelectorAll("details")) details.open = true;
    return [];
  },

  // Nothing wider than the window, and nothing of a chart outside of its frame or over another of its words.
  layout() {
    const wrong = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) {
      const wide = [...document.body.querySelectorAll("*")].filter(
        (e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll, svg"),
      );
      wrong.push(`${root.scrollWidth} px wide in ${root.clientWidth}: ${wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 120))}`);
    }
    for (const figure of document.querySelectorAll("figure")) {
      const frame = figure.getBoundingClientRect();
      if (frame.width === 0) continue;
      const drawn = figure.querySelector("svg").getBoundingClientRect();
      // Words inside of a box of a flame graph are cut by the box, on purpose.
      const words = [...figure.querySelectorAll("svg text")].filter((text) => !text.closest("svg svg") && text.textContent);
      const boxes = words.map((text) => [text, text.getBoundingClientRect()]);
      for (const [text, box] of boxes) {
        const out = box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < drawn.top - 8 || box.bottom > drawn.bottom + 8;
        if (out) wrong.push(`#${figure.id}: “${text.textContent}” is cut off`);
      }
      for (const shape of figure.querySelectorAll("svg rect, svg circle, svg line")) {
        const box = shape.getBoundingClientRect();
        if (box.right > frame.right + 1 || box.left < frame.left - 1) wrong.push(`#${figure.id}: a shape is cut off`);
      }
      boxes.sort((a, b) => a[1].top - b[1].top);
      boxes.forEach(([one, a], at) => {
        for (const [other, b] of boxes.slice(at + 1)) {
          if (b.top > a.bottom) break;
          const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (across > 2 && down > 4) wrong.push(`#${figure.id}: “${one.textContent}” over “${other.textContent}”`);
        }
      });
    }
    return wrong;
  },

  // On paper no chart may be cut in two, so each must fit a page, and none may be hidden in a fold.
  paper(height) {
    const wrong = [];
    for (const svg of document.querySelectorAll("figure svg:not(svg svg)")) {
      const box = svg.getBoundingClientRect();
      const figure = svg.closest("figure");
      if (box.width === 0) wrong.push(`#${figure.id} is hidden on paper`);
      if (box.height > height) wrong.push(`#${figure.id} is ${Math.round(box.height)} px high, a page ${height}`);
    }
    return wrong;
  },

  charts() {
    const wrong = [];
    for (const svg of document.querySelectorAll("svg:not(svg svg)")) {
      const figure = svg.closest("figure");
      const say = (what) => wrong.push(`#${figure?.id}: ${what}`);
      if (!figure?.id) say("a chart without an anchor");
      const named = svg.getAttribute("aria-labelledby")?.split(" ").map((id) => document.getElementById(id)) ?? [];
      if (named.length !== 2 || named.some((e) => !e?.textContent)) say("without title and description");
      if (svg.getAttribute("role") !== "img") say("not an image to a reader of screens");
      if (!svg.querySelector("rect, line, circle")) say("nothing is drawn");
      if (!figure?.querySelector("table tbody tr td")) say("without its data");
    }
    return wrong;
  },

  sections() {
    const contents = [...document.querySelectorAll("nav.toc a")].map((a) => a.hash.slice(1));
    const wrong = [];
    for (const section of document.querySelectorAll("main > section")) {
      const box = section.getBoundingClientRect();
      if (!contents.includes(section.id)) wrong.push(`#${section.id} is not in the contents`);
      if (box.height < 40 || section.innerText.trim().length < 40) wrong.push(`#${section.id} is empty`);
    }
    for (const id of contents) if (!document.getElementById(id)) wrong.push(`the contents lead to #${id}, which is nowhere`);
    return wrong;
  },

  // All that can be reached by a key, as it stands in the page.
  reachable() {
    const all = document.querySelectorAll("a[href], summary, button, input, select, [tabindex='0']");
    return [...all].filter((e) => e.checkVisibility({ checkVisibilityCSS: true }) && !e.disabled).map((e) => ((e.dataset.at = ""), e)).map((e, at) => (e.dataset.at = String(at)));
  },

  focused() {
    const e = document.activeElement;
    const box = e.getBoundingClientRect();
    const shown = box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight;
    const outlined = getComputedStyle(e).outlineStyle !== "none";
    return { at: e.dataset.at ?? null, shown, outlined, what: e.outerHTML.slice(0, 100) };
  },

  words() {
    const added = [...document.querySelectorAll("[data-script]")];
    for (const one of added) one.hidden = true;
    const words = document.querySelector("main").innerText;
    for (const one of added) one.hidden = false;
    return words;
  },

  async axe() {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map((v) => `${v.id}, ${v.nodes.length} times: ${v.help}: ${v.nodes[0].html.slice(0, 200)}; ${v.nodes[0].failureSummary}`);
  },
})
