// What the tests look for in the page; test_page_in_browser.py calls these by name.
({
  /** Where the axis has its labels, and where the marks, lines, bars and bands of each row are. */
  marks() {
    const middle = (element) => {
      const box = element.getBoundingClientRect();
      return box.left + box.width / 2;
    };
    const ends = (element) => {
      const box = element?.getBoundingClientRect();
      return box && [box.left, box.right];
    };
    return [...document.querySelectorAll(".forest")].flatMap((table) => {
      const labels = [...table.querySelectorAll("thead text")];
      const ticks = labels.map((label) => [parseFloat(label.textContent), middle(label)]);
      const isLog = table.closest(".panel").querySelector("h3").id === "p-ratio";
      return [...table.querySelectorAll("tr.f")].map((row) => {
        const plot = row.querySelector("td.plot svg");
        const stance = [...row.classList].find((name) => name !== "f");
        const mark = plot.querySelector(`use[href="#m-${stance}"]`);
        return {
          id: row.id, ticks, isLog, plot: ends(plot), mark: mark && middle(mark),
          line: ends(plot.querySelector(".ci")), bar: ends(plot.querySelector(".range")),
          band: ends(plot.querySelector(".band")),
        };
      });
    });
  },

  /** Takes out rows that are hidden, and all but some of the papers: axe-core looks at them, too. */
  prune() {
    const alike = "tr[hidden], li[hidden], tbody[hidden], .refs li:nth-child(n + 9)";
    for (const element of document.querySelectorAll(alike)) element.remove();
  },

  /** Opens all details. */
  openDetails() {
    for (const details of document.querySelectorAll("details")) details.open = true;
  },

  /** What reaches beyond the right edge, but for what may be scrolled. */
  beyond() {
    const may = ".scroll, .bar, svg, .vh, pre, .skip, thead[role]";
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .filter((element) => element.checkVisibility() && !element.closest(may))
      .map((element) => element.outerHTML.slice(0, 120));
  },

  /** The text spacing of WCAG 1.4.12. */
  spread() {
    for (const { style } of document.querySelectorAll("body *:not(svg, svg *)")) {
      style.lineHeight = "1.5";
      style.letterSpacing = ".12em";
      style.wordSpacing = ".16em";
    }
  },

  /** Visible controls that no Tab reaches, and how many there are. */
  unreachable() {
    const all = [...document.querySelectorAll("a[href], button, select, input, summary, [tabindex]")]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }));
    return [all.length, all.filter((element) => element.tabIndex < 0).map((e) => e.outerHTML)];
  },

  /** The element with the focus, and whether its outline can be seen. */
  focus() {
    const seen = (element) => {
      const style = element && getComputedStyle(element);
      return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    };
    const element = document.activeElement;
    return [element.outerHTML.slice(0, 120), Boolean(seen(element) || seen(element.closest(".pick")))];
  },

  /** Controls smaller than 24 pixels. */
  small() {
    const kinds = "button, select, input[type=search], summary, .tile, .bar a, .pick";
    return [...document.querySelectorAll(kinds)]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const box = element.getBoundingClientRect();
        return box.width < 24 || box.height < 23.9;
      })
      .map((element) => element.outerHTML.slice(0, 120));
  },

  /** Puts into the page what a hostile cell could try to be. */
  inject() {
    const box = document.createElement("div");
    box.innerHTML = '<img src="data:," onerror="window.ran = 1"><p id="styled" style="position: fixed">x</p>';
    const script = document.createElement("script");
    script.textContent = "window.ran = 2";
    document.body.append(box, script);
  },

  /** The rows of each group, in their order. */
  groups() {
    return [...document.querySelectorAll("tbody[role=rowgroup]")]
      .map((body) => [...body.querySelectorAll(".f")].map((row) => row.id));
  },

  /** Groups and panels that are shown though no row in them is. */
  empty() {
    return [...document.querySelectorAll("tbody[role=rowgroup]:not([hidden]), .panel:not([hidden])")]
      .filter((element) => !element.querySelector(".f:not([hidden])")).length;
  },

  /** The violations of rules with these tags that axe-core finds. */
  async violations(values) {
    const options = { runOnly: { type: "tag", values }, resultTypes: ["violations"] };
    const { violations } = await axe.run(document, options);
    return violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html.slice(0, 200)]);
  },
})
