// One item's charts at a time; an event of the name `choose` asks for another.
function chooser(place, spec) {
  const chosen = make("select", { id: freshId(), change: () => show(chosen.selectedIndex) });
  chosen.append(...spec.items.map((item) => make("option", { value: item.key }, item.name)));
  const turn = (by) => () => show((chosen.selectedIndex + by + spec.items.length) % spec.items.length);
  const facts = make("ul", { class: "facts", "aria-live": "polite" });
  const charts = make("div", { class: "charts" });
  place.append(
    make("div", { class: "tools" },
      make("label", { for: chosen.id }, spec.label),
      chosen,
      make("button", { type: "button", click: turn(-1) }, "previous"),
      make("button", { type: "button", click: turn(1) }, "next")),
    facts,
    charts,
  );
  const drawn = (at) => spec.charts.map((one, nth) => ({ ...one, bands: spec.items[at].charts[nth] }));
  const draws = drawn(0).map((one) => chart(charts, "lines", one));

  function show(at) {
    chosen.selectedIndex = at;
    facts.replaceChildren(...(spec.items[at].facts ?? []).map((fact) => make("li", {}, fact)));
    drawn(at).forEach((one, nth) => draws[nth](one));
  }

  document.addEventListener("choose", (event) => {
    const at = spec.items.findIndex((item) => item.key === event.detail);
    if (at < 0) return;
    show(at);
    place.scrollIntoView();
    chosen.focus({ preventScroll: true });
  });
  show(0);
}
