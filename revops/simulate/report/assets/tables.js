const PAGE = 50;

// The roles say what a table's parts are where the style sheet makes them something else.
function cell(column, content) {
  const classes = [column.number && "number", column.minor && "minor", column.wide && "wide", content.tone];
  const bar = content.share !== undefined && make("span", { class: "bar", "aria-hidden": "true" });
  if (bar) bar.style.setProperty("--share", content.share);
  return make("td", { role: "cell", class: classes.filter(Boolean).join(" "), "data-title": column.title },
    make("bdi", {}, content.text),
    ...(bar ? [bar] : []),
    ...(content.below ? [make("bdi", { class: "below" }, content.below)] : []));
}

function trail(told) {
  const steps = told.steps.map((step) => make("li", {},
    make("code", {}, step.stage),
    step.change ? make("span", { class: "change" }, step.change) : "",
    make("bdi", {}, step.words)));
  return make("div", { class: "trail" }, make("h4", {}, told.title), make("ol", {}, ...steps));
}

function details(row, columns) {
  const facts = (row.facts ?? []).map((fact) => make("li", {}, fact));
  const choose = () => document.dispatchEvent(new CustomEvent("choose", { detail: row.key }));
  return make("tr", { role: "row", class: "details" }, make("td", { role: "cell", colspan: columns.length },
    facts.length ? make("ul", { class: "facts" }, ...facts) : "",
    row.key && document.querySelector(".chooser")
      ? make("button", { type: "button", click: choose }, "show it over time") : "",
    ...row.trails.map(trail)));
}

function rowElements(row, columns) {
  const cells = columns.map((column, at) => cell(column, row.cells[at]));
  const line = make("tr", { role: "row" }, ...cells);
  if (!row.trails) return [line];
  const opener = make("button", { type: "button", class: "opener", "aria-expanded": "false" });
  opener.append(...cells[0].childNodes);
  cells[0].append(opener);
  opener.addEventListener("click", () => {
    const opened = opener.getAttribute("aria-expanded") === "true";
    opener.setAttribute("aria-expanded", String(!opened));
    if (opened) line.nextElementSibling.remove();
    else line.after(details(row, columns));
  });
  return [line];
}

// What a cell is sorted by; undefined where it has nothing to say.
function worth(column, content) {
  if (content.by !== undefined) return content.by;
  if (!column.number) return content.text.toLowerCase() || undefined;
  const number = Number.parseFloat(content.text.replaceAll(",", ""));
  return Number.isNaN(number) ? undefined : number;
}

// Below zero if `one` comes first. Nothing comes last, whichever way it is sorted.
function compared(one, other, down) {
  if (one === other) return 0;
  if (one === undefined) return 1;
  if (other === undefined) return -1;
  return one < other !== down ? -1 : 1;
}

function wordsOf(row) {
  const texts = row.cells.flatMap((content) => [content.text, content.below ?? ""]);
  return texts.concat(row.facts ?? []).join(" ").toLowerCase();
}

function count(first, shown, left, all) {
  if (!left) return "none of them";
  if (shown === all) return `all ${all}`;
  if (shown === left) return `${left} of ${all}`;
  return `${first + 1} to ${first + shown} of ${left}` + (left < all ? `, out of ${all}` : "");
}

function table(place, spec) {
  const rows = spec.rows.map((row, at) => ({ at, words: wordsOf(row), ...row }));
  const asked = { words: [], only: false, column: undefined, down: false, page: 0 };
  const titled = freshId();
  const body = make("tbody", { role: "rowgroup" });
  const counted = make("p", { class: "counted", role: "status" });
  const turns = make("div", { class: "tools turns" });

  const found = () => {
    const left = rows.filter((row) => (!asked.only || row.marked)
      && asked.words.every((word) => row.words.includes(word)));
    if (asked.column === undefined) return left;
    const column = spec.columns[asked.column];
    const by = (row) => worth(column, row.cells[asked.column]);
    return left.sort((one, other) => compared(by(one), by(other), asked.down) || one.at - other.at);
  };
  const draw = () => {
    const left = found();
    const first = asked.page * PAGE;
    const shown = left.slice(first, first + PAGE);
    body.replaceChildren(...shown.flatMap((row) => rowElements(row, spec.columns)));
    counted.textContent = rows.length ? count(first, shown.length, left.length, rows.length) : spec.empty ?? "";
    body.parentElement.hidden = !rows.length;
    counted.hidden = rows.length > 0 && !bar.childElementCount;
    turns.hidden = left.length <= PAGE;
    const [back, on] = turns.children;
    back.disabled = first === 0;
    on.disabled = first + PAGE >= left.length;
  };
  const change = (what) => {
    Object.assign(asked, { page: 0 }, what);
    draw();
  };
  const turn = (by) => () => {
    change({ page: asked.page + by });
    place.scrollIntoView();
  };
  turns.append(
    make("button", { type: "button", click: turn(-1) }, "previous page"),
    make("button", { type: "button", click: turn(1) }, "next page"));

  const heads = spec.columns.map((column, at) => {
    const sort = () => {
      const down = asked.column === at && !asked.down;
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      heads[at].setAttribute("aria-sort", down ? "descending" : "ascending");
      change({ column: at, down });
    };
    const classes = [column.number && "number", column.minor && "minor", column.wide && "wide"];
    return make("th", { role: "columnheader", scope: "col", class: classes.filter(Boolean).join(" ") },
      make("button", { type: "button", click: sort }, column.title));
  });
  const bar = tools(spec, rows.length, change);
  place.append(
    make("h3", { id: titled }, spec.title),
    bar,
    counted,
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": titled },
      make("table", { role: "table", "aria-labelledby": titled },
        make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads)), body)),
    turns,
  );
  draw();
}

function tools(spec, count, change) {
  const bar = make("div", { class: "tools" });
  if (count > 5) {
    const field = make("input", { type: "search", id: freshId(), autocomplete: "off", spellcheck: "false",
      input: () => change({ words: field.value.toLowerCase().split(/\s+/).filter(Boolean) }) });
    bar.append(make("label", { for: field.id }, "filter"), field);
  }
  if (spec.only) {
    const box = make("input", { type: "checkbox", id: freshId(), change: () => change({ only: box.checked }) });
    bar.append(make("span", { class: "switch" }, box, make("label", { for: box.id }, spec.only)));
  }
  return bar;
}
