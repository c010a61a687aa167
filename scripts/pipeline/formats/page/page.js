"use strict";
// The page is complete without this script, which filters, sorts, folds and answers. What a row
// says of itself it reads in the table that stands in the page, findings.csv.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const words = (text) => fold(text).split(/\s+/).filter(Boolean);
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  for (const element of $$("#answer, #filterbox, #counted, #claimfilter, #theme, .tools, .bar a")) element.hidden = false;

  // Theme: that of the system unless the reader chooses; kept where storage is allowed.
  const themes = ["auto", "light", "dark"];
  const kept = (value) => {
    try {
      return value ? localStorage.setItem("theme", value) : localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const paint = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $("#theme").textContent = `Theme: ${theme}`;
  };
  let theme = themes.includes(kept()) ? kept() : "auto";
  paint(theme);
  $("#theme").addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    kept(theme);
    paint(theme);
  });

  // The table of findings, by id. A row is a line, a cell with commas or quotes is quoted.
  const cells = (line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare);
  const [head, ...lines] = $("[data-file='findings.csv']").closest(".scroll").nextElementSibling.textContent.trimEnd().split("\n");
  const names = cells(head);
  const table = new Map(lines.map((line) => cells(line)).map((row) => [row[0], Object.fromEntries(names.map((name, i) => [name, row[i]]))]));
  const matches = (record, chosen) => Object.entries(chosen).every(([name, value]) => !value || record[name] === (value === "none" ? "" : value));

  // Rows of the plots, each with its record, its mark in the line of its group, and its words.
  const groups = $$(".forest tbody").map((body) => {
    const strip = [...$(".feature .m", body).children];
    const rows = $$(".f", body).map((row, i) => ({ row, record: table.get(row.id), mark: strip[i], place: i }));
    return { body, rows, name: $(".name", body), unit: body.closest("table").dataset.unit };
  });
  const loose = $$(".words .f").map((row) => ({ row, record: table.get(row.id) }));
  const all = [...groups.flatMap((group) => group.rows.map((each) => Object.assign(each, { group }))), ...loose];
  const byId = new Map(all.map((each) => [each.row.id, each]));
  const said = (each) => (each.text ??= fold(`${each.group ? $(".feature", each.group.body).textContent : ""} ${each.row.textContent}`));
  const number = (text) => parseFloat(text.replace(/[<>≤≥]/g, ""));
  const least = (rows) => rows.reduce((a, b) => (number(b.row.dataset.low) < number(a.row.dataset.low) ? b : a));
  const most = (rows) => rows.reduce((a, b) => (number(b.row.dataset.high) > number(a.row.dataset.high) ? b : a));
  const extent = (rows) => {
    const [low, high] = [least(rows).row.dataset.low, most(rows).row.dataset.high];
    return (low === high ? low : `${low} to ${high}`) + rows[0].group.unit;
  };
  // What is chosen in a group of controls: of each name the values that are checked or selected.
  const chosenIn = (root) => {
    const found = {};
    for (const each of $$("[name]", root)) if (each.checked || !["checkbox", "radio"].includes(each.type)) (found[each.name] ??= []).push(each.value);
    return found;
  };
  const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

  // Groups fold; the button takes the place of the name.
  const open = (group, is) => {
    group.body.classList.toggle("folded", !is);
    group.button.ariaExpanded = String(is);
  };
  for (const group of groups) {
    group.button = make("button", { type: "button" }, ...group.name.childNodes);
    group.name.append(group.button);
    $(".feature", group.body).addEventListener("click", () => open(group, group.body.classList.contains("folded")));
    open(group, false);
  }
  $("#unfold").addEventListener("click", () => groups.forEach((group) => open(group, true)));
  $("#fold").addEventListener("click", () => groups.forEach((group) => open(group, false)));
  addEventListener("beforeprint", () => groups.forEach((group) => open(group, true)));

  // Filter and order; the state is in the address, so that it can be shared.
  const form = $("#filters");
  const columns = ["condition_id", "selection", "primary_tumor", "timepoint"];
  const boxes = $$("[name=stance]", form);
  const controls = $$("select, [type=search]", form);
  const selects = $$("#ask select");
  const first = (select) => Math.max(0, [...select.options].findIndex((option) => option.defaultSelected));
  const orders = {
    "": (a, b) => a.place - b.place,
    value: (a, b) => number(b.row.dataset.high) - number(a.row.dataset.high) || a.place - b.place,
    year: (a, b) => b.record.citation_id.match(/\d{4}/) - a.record.citation_id.match(/\d{4}/) || a.place - b.place,
    total: (a, b) => b.record.n_total - a.record.n_total || a.place - b.place,
  };
  let order = "";
  const filter = () => {
    const data = chosenIn(form);
    const stances = new Set(data.stance);
    const chosen = Object.fromEntries(columns.map((name) => [name, data[name][0]]));
    const asked = words(data.q[0]);
    const isFiltered = stances.size < boxes.length || asked.length > 0 || columns.some((name) => chosen[name]);
    let shown = 0;
    for (const each of all) {
      const ok = stances.has(each.record.stance || "none") && matches(each.record, chosen) && asked.every((word) => said(each).includes(word));
      each.row.hidden = !ok;
      each.mark?.classList.toggle("out", !ok);
      shown += ok;
    }
    const reordered = data.order[0] !== order;
    order = data.order[0];
    for (const group of groups) {
      const left = group.rows.filter(({ row }) => !row.hidden);
      group.body.hidden = !left.length;
      if (!left.length) continue;
      $(".many", group.body).textContent = left.length < group.rows.length ? `${left.length} of ${group.rows.length} rows` : count(left.length, "row");
      $(".extent", group.body).textContent = extent(left);
      if (reordered) group.body.append(...[...group.rows].sort(orders[order]).map(({ row }) => row));
      if (isFiltered) open(group, shown <= 60);
    }
    for (const panel of $$(".panel")) panel.hidden = $$(".f", panel).every((row) => row.hidden);
    $("#frequencies").classList.toggle("compact", data.rows[0] === "compact");
    $("#count").value = `${shown} of ${all.length} findings shown`;
  };
  const keep = () => {
    const { stance = [], ...data } = chosenIn(form);
    const state = new URLSearchParams();
    if (stance.length < boxes.length) state.set("stance", stance.join(","));
    for (const [name, [value]] of Object.entries(data)) if (value) state.set(name, value);
    for (const select of selects) if (select.selectedIndex !== first(select)) state.set(`ask_${select.name}`, select.value);
    try {
      history.replaceState(null, "", `${location.pathname}${state.size ? `?${state}` : ""}${location.hash}`);
    } catch { /* a file in a frame has no address of its own */ }
  };
  const state = new URLSearchParams(location.search);
  if (state.has("stance")) for (const box of boxes) box.checked = state.get("stance").split(",").includes(box.value);
  for (const control of controls) if (state.has(control.name)) control.value = state.get(control.name);
  for (const select of selects) if (state.has(`ask_${select.name}`)) select.value = state.get(`ask_${select.name}`);
  form.addEventListener("input", () => { filter(); keep(); });
  const reset = () => {
    for (const box of boxes) box.checked = true;
    for (const control of controls) control.value = "";
    filter();
    keep();
  };
  $("#reset").addEventListener("click", reset);
  filter();
  if (matchMedia("(max-width: 760px)").matches) $("#filterbox").open = false;

  // The answer: one sentence, the same by selection, the rows, and how to get them.
  const ask = $("#ask");
  const svg = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const who = ({ row, record, group }) => {
    const region = group.name.textContent.split(": ")[1];
    return [$(".who b", row).textContent, region, record.case_definition].filter(Boolean).join("; ");
  };
  const link = ({ row }) => make("a", { href: `#${row.id}` }, row.id);
  const tally = (rows, name, none) => {
    const counts = new Map();
    for (const { record } of rows) counts.set(record[name] || none, (counts.get(record[name] || none) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]).map(([value, n]) => `${value} (${n})`).join(", ");
  };
  const meaning = new Map($$("#selections div").map((each) => [...each.children].map((part) => part.textContent)));
  const answer = () => {
    const chosen = Object.fromEntries(selects.map(({ name, value }) => [name, value]));
    const rows = all.filter(({ record }) => matches(record, chosen));
    const panels = new Map();
    for (const each of rows) {
      const panel = each.group?.body.closest(".panel");
      panels.set(panel, [...(panels.get(panel) ?? []), each]);
    }
    const [panel, main] = [...panels].find(([key]) => key) ?? [];
    const sentence = [];
    if (!rows.length) sentence.push("No finding is recorded for this choice, which says nothing about how often it occurs.");
    else if (!main) sentence.push(make("b", {}, `${count(rows.length, "observation")} without a figure.`));
    else {
      const [low, high] = [least(main), most(main)];
      const unit = main[0].group.unit;
      const papers = new Set(main.map(({ record }) => record.citation_id)).size;
      sentence.push(make("b", {}, `${count(papers, "paper")}, ${count(main.length, "figure")}:`), ` ${$("h3", panel).firstChild.textContent.trim().toLowerCase()} `);
      if (low === high) sentence.push(make("b", {}, extent(main)), ` (${who(low)}).`);
      else sentence.push("from ", make("b", {}, low.row.dataset.low + unit), ` (${who(low)}) to `, make("b", {}, high.row.dataset.high + unit), ` (${who(high)}).`);
      const others = [...panels].filter(([other]) => other !== panel).map(([other, more]) => (other ? `${count(more.length, "row")} on “${$("h3", other).firstChild.textContent.trim().toLowerCase()}”` : `${count(more.length, "observation")} without a figure`));
      if (others.length) sentence.push(` Also recorded: ${others.join(", ")}.`);
    }
    $("#said").replaceChildren(...sentence);
    const kinds = [...$("[name=selection]", ask).options].filter((option) => option.value);
    const parts = kinds.map((option) => [option.textContent, (main ?? []).filter(({ record }) => matches(record, { selection: option.value }))]).filter(([, part]) => part.length);
    $("#by").hidden = !parts.length;
    $("#by thead svg")?.remove();
    if (main) $("#by thead .plot").append($("thead .plot svg", panel).cloneNode(true));
    $("#by tbody").replaceChildren(...parts.map(([name, part]) => {
      const plot = svg("svg", { "aria-hidden": "true" }, svg("use", { href: $(".feature use", part[0].group.body).getAttribute("href") }), svg("g", { class: "m" }, ...part.map(({ mark }) => mark.cloneNode())));
      $$(".m > *", plot).forEach((mark) => { mark.classList.remove("out"); mark.setAttribute("y", "50%"); });
      return make("tr", {}, make("th", { scope: "row" }, name, make("span", { className: "of" }, meaning.get(name) ?? "")), make("td", { className: "n" }, String(part.length)), make("td", { className: "plot" }, plot), make("td", {}, extent(part)));
    }));
    $("#when").textContent = rows.length ? `Time points: ${tally(rows, "timepoint", "none")}.` : "";
    $("#rows").replaceChildren(...(rows.length ? [`${count(rows.length, "row")}: `, ...rows.flatMap((each, i) => [i ? " " : "", link(each)])] : []));
    const filters = Object.entries(chosen).filter(([, value]) => value);
    const pandas = filters.map(([name, value]) => (value === "none" ? `findings.${name}.isna()` : `(findings.${name} == ${JSON.stringify(value)})`)).join(" & ");
    const sql = filters.map(([name, value]) => (value === "none" ? `${name} is null` : `${name} = '${value.replaceAll("'", "''")}'`)).join(" and ");
    $("#pandas").textContent = `import pandas as pd\nfindings = pd.read_csv("data/findings.csv")\nprint(findings[${pandas}].to_string())`;
    $("#sql").textContent = `select *\nfrom findings\nwhere ${sql};`;
    for (const group of groups) if (group.rows[0].record.feature_id === chosen.feature_id) open(group, true);
  };
  ask.addEventListener("input", () => { answer(); keep(); });
  answer();

  // A link to a row that is filtered out or folded shows it.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const each = byId.get(target.id);
    if (each) {
      if (target.hidden) reset();
      if (each.group) open(each.group, true);
      $("details", target).open = true;
    }
    if (target.matches(".claim")) {
      if (target.hidden) {
        $("#claimfilter [value=all]").checked = true;
        claims();
      }
      for (const details of $$("details", target)) details.open = true;
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  // Claims.
  const claims = () => {
    const [show] = chosenIn($("#claimfilter")).show;
    let shown = 0;
    for (const claim of $$(".claim")) {
      const stances = claim.dataset.stances.split(" ").filter(Boolean);
      const ok = show === "all" || (show === "none" ? !stances.length : show === "some" ? stances.length > 0 : stances.includes(show));
      claim.hidden = !ok;
      shown += ok;
    }
    for (const part of $$(".para")) part.hidden = $$(".claim", part).every((claim) => claim.hidden);
    $("#claimcount").value = `${shown} of ${$$(".claim").length} claims shown`;
  };
  $("#claimfilter").addEventListener("input", claims);
  claims();
  reveal();

  // The flat tables: buttons in the head sort, empty cells last; a download is lines of the file.
  for (const flat of $$(".flat")) {
    const scroll = flat.closest(".scroll");
    const [tools, file] = [scroll.previousElementSibling, scroll.nextElementSibling];
    const body = flat.tBodies[0];
    const rows = [...body.rows];
    const [first, ...rest] = file.textContent.trimEnd().split("\n");
    const cell = (row, index) => row.cells[index].dataset.sort ?? row.cells[index].textContent.trim();
    for (const [index, column] of [...flat.tHead.rows[0].cells].entries()) {
      const button = make("button", { type: "button" }, column.textContent);
      column.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = column.ariaSort === "ascending";
        for (const other of flat.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        column.ariaSort = down ? "descending" : "ascending";
        body.append(...[...rows].sort((a, b) => {
          const [x, y] = [cell(a, index), cell(b, index)];
          if (!x || !y) return !x - !y;
          return (isNaN(x) || isNaN(y) ? x.localeCompare(y, "en", { numeric: true }) : x - y) * (down ? -1 : 1);
        }));
      });
    }
    const search = () => {
      const asked = words($("input", tools).value);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !asked.every((word) => fold(row.textContent).includes(word));
        shown += !row.hidden;
      }
      $("output", tools).value = `${shown} of ${rows.length} rows`;
    };
    $("input", tools).addEventListener("input", search);
    search();
    $("button", tools).addEventListener("click", () => {
      const text = [first, ...rest.filter((_, i) => !rows[i].hidden), ""].join("\n");
      const save = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: flat.dataset.file });
      save.click();
      setTimeout(() => URL.revokeObjectURL(save.href), 1000);
    });
  }

  // A tip beside the pointer over a plot: what the row says. Escape takes it away.
  const tip = $("#tip");
  const hide = () => { tip.hidden = true; };
  const tell = (row) => {
    const text = (selector) => $(selector, row).textContent.trim();
    tip.replaceChildren(
      make("b", {}, `${text(".who b")}, ${text(".when")}`),
      make("p", {}, text(".sum")),
      make("small", {}, [text(".people"), $(".counted", row)?.textContent, text(".n"), text(".est")].filter(Boolean).join(" · ")),
    );
    tip.hidden = false;
    const box = $(".plot", row).getBoundingClientRect();
    const below = box.bottom + tip.offsetHeight + 8 < innerHeight;
    tip.style.left = `${scrollX + Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${scrollY + (below ? box.bottom - 2 : box.top - tip.offsetHeight + 2)}px`;
  };
  for (const plot of $$(".forest .f td.plot")) {
    plot.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch") tell(plot.parentElement); });
    plot.addEventListener("pointerleave", (event) => { if (event.relatedTarget !== tip) hide(); });
  }
  tip.addEventListener("pointerleave", hide);
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
})();
