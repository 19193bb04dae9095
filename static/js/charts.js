// Draws every figure with data-chart from the numbers beside it, in the colours of the page, and again when its width changes.
"use strict";

(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  // light-dark() is resolved where a colour is used, so it is asked of an element that uses it.
  const probe = document.createElement("span");
  const resolved = (tone) => {
    probe.className = `tone-of-${tone}`;
    return getComputedStyle(probe).color || colour(tone);
  };
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 });

  function seriesOf(told) {
    const stroke = resolved(told.tone);
    const common = { label: told.name, stroke, width: 2, scale: told.scale, value: (_u, v) => (v == null ? "–" : number.format(v)) };
    if (told.style === "bars") {
      return { ...common, width: 1, fill: stroke, paths: uPlot.paths.bars({ size: [0.7, 90] }), points: { show: false } };
    }
    if (told.style === "steps") return { ...common, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } };
    if (told.style === "dots") return { ...common, points: { show: true, size: 7 } };
    if (told.style === "dashes") return { ...common, dash: [8, 6], points: { show: false } };
    return { ...common, points: { show: false } };
  }

  function draw(figure) {
    const told = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const place = figure.querySelector("[data-chart-drawn]");
    const named = told.labels.length > 0;
    const xs = named ? told.labels.map((_name, index) => index) : told.at;
    if (!xs.length) return;
    const ink = resolved("ink-soft");
    const grid = { stroke: resolved("rule"), width: 1 };
    const scales = { x: { time: !named, range: named ? [-0.6, xs.length - 0.4] : undefined } };
    const axes = [{ stroke: ink, grid: { show: false }, ticks: grid, font: "13px system-ui" }];
    if (named) {
      const most = Math.max(4, Math.floor(place.clientWidth / (9 * xs.length)));
      axes[0].splits = () => xs;
      axes[0].values = () => told.labels.map((name) => (name.length > most ? `${name.slice(0, most - 1)}…` : name));
    }
    for (const [scale, unit, side] of [["left", told.unit, 3], ["right", told.rightUnit, 1]]) {
      const own = told.series.filter((series) => series.scale === scale);
      if (!own.length) continue;
      const fromZero = own.some((series) => series.style === "bars") || unit === "%";
      scales[scale] = { range: (_u, low, high) => uPlot.rangeNum(fromZero ? Math.min(0, low ?? 0) : (low ?? 0), high ?? 1, { min: { pad: fromZero && !(low < 0) ? 0 : 0.1, soft: 0, mode: fromZero ? 1 : 3 }, max: { pad: 0.1, soft: 0, mode: 2 } }) };
      axes.push({ scale, side, stroke: ink, grid: scale === "left" ? grid : { show: false }, ticks: grid, font: "13px system-ui", size: 64, values: (_u, values) => values.map((value) => (value == null ? "" : `${number.format(value)}${unit ? ` ${unit}` : ""}`)) });
    }
    const plot = new uPlot(
      {
        width: place.clientWidth,
        height: told.height,
        tzDate: (moment) => uPlot.tzDate(new Date(moment * 1e3), told.zone),
        cursor: { drag: { x: !named, y: false } },
        legend: { live: true },
        scales,
        axes,
        series: [{ value: named ? (_u, index) => told.labels[index] ?? "" : undefined }, ...told.series.map(seriesOf)],
      },
      [xs, ...told.series.map((series) => series.values)],
      place,
    );
    new ResizeObserver(() => {
      if (place.clientWidth && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: told.height });
    }).observe(place);
  }

  document.body.append(probe);
  probe.hidden = true;
  document.querySelectorAll("[data-chart]").forEach(draw);
})();
