const DRAWN = {
  chooser,
  table,
  lines: (place, spec) => chart(place, "lines", spec),
  spreads: (place, spec) => chart(place, "spreads", spec),
};

const specs = JSON.parse(document.getElementById("data").textContent);
document.querySelectorAll(".drawn").forEach((place, at) => DRAWN[specs[at].kind](place, specs[at]));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraws.forEach((draw) => draw()));
