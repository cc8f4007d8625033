// Sides are told apart by colour and by the kind of line.
const DASHES = ["solid", "dash", "dot", "dashdot"];
const CLEAR = "rgba(0, 0, 0, 0)";
const redraws = [];

// What plotly takes for markup in a name is text here.
function asText(name) {
  return name.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function seriesColour(place) {
  return colour(`series-${(place % DASHES.length) + 1}`);
}

function faded(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, 0.16)`;
}

function axis(title, more) {
  return {
    title: { text: asText(title), standoff: 8 },
    color: colour("muted"),
    gridcolor: colour("line"),
    zerolinecolor: colour("muted"),
    fixedrange: true,
    automargin: true,
    separatethousands: true,
    ...more,
  };
}

function layout(more) {
  return {
    font: { family: "system-ui, sans-serif", size: 13, color: colour("ink") },
    paper_bgcolor: CLEAR,
    plot_bgcolor: CLEAR,
    margin: { l: 48, r: 12, t: 8, b: 40 },
    hoverlabel: {
      bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") },
    },
    dragmode: false,
    ...more,
  };
}

function bandTraces(spec, band, place) {
  const ink = seriesColour(place);
  const shape = spec.steps ? "hv" : "linear";
  const edge = { x: spec.x, mode: "lines", line: { width: 0, shape }, hoverinfo: "skip", showlegend: false };
  return [
    { ...edge, y: band.high },
    { ...edge, y: band.low, fill: "tonexty", fillcolor: faded(ink) },
    {
      x: spec.x,
      y: band.middle,
      customdata: band.low.map((low, at) => [low, band.high[at]]),
      name: asText(band.name),
      mode: "lines",
      line: { color: ink, width: 2.5, dash: DASHES[place % DASHES.length], shape },
      hovertemplate: "%{y:,} (%{customdata[0]:,} to %{customdata[1]:,})",
    },
  ];
}

function linesFigure(spec) {
  const bounded = spec.most === undefined ? { rangemode: "tozero" } : { range: [spec.least, spec.most] };
  return {
    traces: spec.bands.flatMap((band, place) => bandTraces(spec, band, place)),
    layout: layout({
      height: 340,
      hovermode: "x unified",
      showlegend: true,
      legend: { traceorder: "normal", orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      xaxis: axis(spec.x_title, { zeroline: false }),
      yaxis: axis(spec.y_title, bounded),
    }),
  };
}

// Of fewer outcomes than this a curve would say more than is known.
const ENOUGH = 10;

function spreadTrace(spread, ink) {
  const enough = spread.values.length >= ENOUGH;
  return {
    type: "violin",
    orientation: "h",
    side: "negative",
    x: spread.values,
    y0: asText(spread.name),
    name: asText(spread.name),
    points: "all",
    pointpos: 0.3,
    jitter: 0.2,
    width: 1,
    spanmode: "hard",
    marker: { size: 5, color: ink, opacity: 0.75 },
    line: { color: enough ? ink : CLEAR, width: 1.5 },
    fillcolor: enough ? faded(ink) : CLEAR,
    box: { visible: enough, width: 0.18 },
    hoveron: "points",
    hovertemplate: "%{x:,}<extra></extra>",
  };
}

function spreadsFigure(spec) {
  return {
    traces: spec.spreads.map((spread, place) =>
      spreadTrace(spread, seriesColour(place + (spec.first ?? 0)))),
    layout: layout({
      height: 110 + 90 * spec.spreads.length,
      showlegend: false,
      hovermode: "closest",
      xaxis: axis(spec.x_title, { zeroline: true, zerolinewidth: 2 }),
      yaxis: axis("", { autorange: "reversed", zeroline: false, color: colour("ink") }),
    }),
  };
}

const FIGURES = { lines: linesFigure, spreads: spreadsFigure };

// A figure with its caption in `place`; the function that is returned draws it anew.
function chart(place, kind, spec) {
  const titled = freshId();
  const plot = make("div", { class: "plot", role: "img", "aria-labelledby": titled });
  place.append(make("figure", {}, make("figcaption", { id: titled }, spec.title), plot));
  const draw = (now = spec) => {
    spec = now;
    const figure = FIGURES[kind](spec);
    Plotly.react(plot, figure.traces, figure.layout, { displayModeBar: false, responsive: true });
  };
  redraws.push(() => draw());
  draw();
  return draw;
}
