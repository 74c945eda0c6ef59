// Charts that hold still, by Plotly, which is fetched from this very server when the first of them is drawn.
"use strict";
(() => {
  const pg = window.playground;
  const {h} = pg;
  // Okabe and Ito's colours (2008), without the yellow, which paper swallows; marks and dashes tell series apart as well.
  const HUES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
  const MARKS = ["circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "pentagon", "star"];
  const DASHES = ["solid", "dash", "dot", "dashdot"];
  const style = (i) => ({colour: HUES[i % HUES.length], mark: MARKS[i % MARKS.length], dash: DASHES[Math.floor(i / HUES.length) % DASHES.length]});

  let loading = null;
  const plotly = () => (loading = loading || new Promise((resolve, reject) => {
    const failed = () => { loading = null; reject(new Error("The charts could not be fetched: is the server still running?")); };
    document.head.append(h("script", {src: `${pg.root}plotly.min.js`, onload: () => resolve(window.Plotly), onerror: failed}));
  }));

  // Round numbers of a logarithmic axis, and how they are written: the fewer decades, the more of them.
  const ticks = ([low, high], seconds = false) => {
    const parts = high - low < 0.8 ? [1, 1.5, 2, 3, 4, 5, 7] : high - low < 1.4 ? [1, 2, 5] : high - low < 2.6 ? [1, 3] : [1];
    const decades = Array.from({length: Math.ceil(high) - Math.floor(low) + 1}, (_, i) => Math.floor(low) + i);
    const values = decades.flatMap((d) => parts.map((k) => Number((k * 10 ** d).toPrecision(3)))).filter((v) => Math.log10(v) >= low && Math.log10(v) <= high);
    return [values, values.map((v) => (seconds ? pg.seconds(v).replace(".0 ", " ") : v.toLocaleString("en", {maximumSignificantDigits: 3})))];
  };

  const ink = (name) => getComputedStyle(document.body).getPropertyValue(`--pg-${name}`).trim();
  const axis = ({title = "", log = false, range, values, texts, rangemode}) => ({title: {text: title, standoff: 6, font: {size: 12, color: ink("soft")}}, type: log ? "log" : "linear", range,
    rangemode: rangemode || "normal", gridcolor: ink("line"), zerolinecolor: ink("line"), linecolor: ink("faint"), tickcolor: ink("faint"), ticks: "outside", ticklen: 4,
    tickfont: {size: 11, color: ink("soft")}, automargin: true, exponentformat: "power", ...(log ? {} : {nticks: 6}),
    ...(values ? {tickmode: "array", tickvals: values, ticktext: texts || values.map(String)} : {}), ...(values && !values.length ? {showline: false, zeroline: false, ticks: ""} : {})}); // no numbers at all
  const layout = ({x, y, height = 320, shapes = [], notes = [], legend = true, margin = {}}) => ({height, xaxis: axis(x), yaxis: axis(y), showlegend: legend,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: {family: getComputedStyle(document.body).getPropertyValue("--pg-font") || "sans-serif", size: 12, color: ink("ink")},
    margin: {l: 52, r: 14, t: 10, b: 46, ...margin}, hovermode: "closest", dragmode: false, shapes, annotations: notes,
    hoverlabel: {bgcolor: ink("panel"), bordercolor: ink("faint"), font: {size: 12, color: ink("ink")}, align: "left", namelength: 0},
    legend: {orientation: "h", y: -0.2, yanchor: "top", x: 0, font: {size: 12, color: ink("ink")}, itemclick: "toggle", bgcolor: "rgba(0,0,0,0)"}});

  // ``make()`` gives {traces, x, y, ...} with the colours of the moment; it is asked again when day becomes night.
  const drawn = new Map();
  let watching = null;
  const watch = () => {
    watching = watching || new MutationObserver(() => {
      for (const [box, make] of drawn) if (box.isConnected) plot(box, make); else drawn.delete(box);
    });
    watching.observe(document.body, {attributes: true, attributeFilter: ["class"]});
  };
  const plot = async (box, make) => {
    drawn.set(box, make);
    watch();
    const library = await plotly();
    if (drawn.get(box) !== make) return; // something newer came meanwhile
    const {traces, ...rest} = make();
    await library.react(box, traces, layout(rest), {displayModeBar: false, responsive: true, doubleClick: false, showTips: false});
    box.dataset.drawn = traces.length;
  };

  // The chart as a PNG, twice as fine, on paper: what a slide or a paper wants.
  const picture = async (box, name) => {
    const library = await plotly();
    const wide = {format: "png", width: Math.max(640, box.clientWidth), height: box.clientHeight, scale: 2};
    const shown = {data: box.data, layout: {...box.layout, paper_bgcolor: ink("ground")}};
    pg.save(name, await library.toImage(shown, wide));
  };

  // ---- the view ``Curve``
  const KINDS = {float64: Float64Array, float32: Float32Array, int64: BigInt64Array};
  const rows = (packed) => {
    const flat = Array.from(new KINDS[packed.dtype](pg.bytes(packed.b64).buffer), Number);
    const wide = packed.shape[1];
    return Array.from({length: packed.shape[0]}, (_, i) => flat.slice(i * wide, (i + 1) * wide));
  };
  const finite = (values) => values.map((v) => (Number.isFinite(v) ? v : null));
  const drawCurve = (node, view) => {
    let box = node.querySelector(".pg-plot");
    if (!box) node.replaceChildren((box = h("div.pg-plot", {role: "img"})));
    box.setAttribute("aria-label", `${view.title || "chart"}: ${view.axes[1]} against ${view.axes[0]}`);
    const [x, y, error] = [rows(view.x), rows(view.y), view.error ? rows(view.error) : null];
    const few = x[0].length <= 60;
    const along = (title, log, all) => {
      const good = all.flat().filter((v) => Number.isFinite(v) && v > 0).map(Math.log10);
      if (!log || !good.length) return {title};
      const [low, high] = [Math.min(...good) - 0.04, Math.max(...good) + 0.04];
      const [values, texts] = ticks([low, high]);
      return {title, log, values, texts, range: [low, high]};
    };
    const ends = error ? y.map((row, i) => row.flatMap((v, j) => [v - error[i][j], v + error[i][j]])) : y;
    plot(box, () => ({x: along(view.axes[0], view.log.includes("x"), x), y: along(view.axes[1], view.log.includes("y"), [...y, ...ends]), legend: view.series.length > 1, height: 340,
      traces: view.series.map((name, i) => {
        const {colour, mark, dash} = style(i);
        return {name: name.replace(/[<>]/g, ""), x: finite(x[i]), y: finite(y[i]), mode: view.marks ? "markers" : few ? "lines+markers" : "lines",
          marker: {color: colour, symbol: mark, size: view.marks ? 6 : 5, opacity: view.marks ? 0.7 : 1}, line: {color: colour, dash, width: 2},
          ...(error ? {error_y: {type: "data", array: finite(error[i]), color: colour, thickness: 1.2, width: 3}} : {}), hovertemplate: `%{y:.4g} at %{x:.4g}<extra>${name.replace(/[<>]/g, "")}</extra>`};
      })})).catch((problem) => { box.textContent = problem.message; });
  };

  Object.assign(pg, {plot, plotPicture: picture, plotStyle: style, plotInk: ink, plotTicks: ticks, drawCurve});
})();
