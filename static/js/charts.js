// Draws every figure with data-chart from the numbers beside it, in the colours of the page, again when its width or the
// page's colours change, and what a fragment brought when told so: element.dispatchEvent(new Event("charts:draw")).
"use strict";

(() => {
  const language = document.documentElement.lang || "en";
  // light-dark() is resolved where a colour is used, so it is asked of an element that uses it.
  const probe = document.createElement("span");
  const resolved = (tone) => {
    probe.className = `tone-of-${tone}`;
    return getComputedStyle(probe).color;
  };
  // As the tables beside it: a narrow space sets thousands apart, in German a point (mes_project/formats).
  const group = language === "de" ? null : "\u202f";
  const figures = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const written = (value) => figures.formatToParts(value).map((part) => (group && part.type === "group" ? group : part.value)).join("");
  // Larger where the page is: a television across the hall.
  const FONT = `${Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125)}px system-ui, sans-serif`;
  const LONGEST_LABEL = 22;
  const SLANT = Math.SQRT1_2;
  // What the numbers beside the drawing take at least.
  const NUMBERS_ROOM = 44;
  const measure = document.createElement("canvas").getContext("2d");
  const widthOf = (text) => { measure.font = FONT; return measure.measureText(text).width; };
  const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
  const narrowed = (name, room) => {
    let text = name;
    while (text.length > 3 && widthOf(text) > room) text = cut(name, text.length - 1);
    return text;
  };
  const drawn = new Map();

  function seriesOf(told, place, bars) {
    const stroke = resolved(told.tone);
    const common = { label: told.name, stroke, width: 2, scale: told.scale, value: (_u, v) => (v == null ? "–" : written(v)) };
    if (told.style === "bars") {
      // Two rows of bars stand side by side, so that neither hides the other.
      const beside = bars === 2 ? { size: [0.38, 60], align: place === 0 ? -1 : 1, gap: 1 } : { size: [0.7, 90] };
      return { ...common, width: 1, fill: stroke, paths: uPlot.paths.bars(beside), points: { show: false } };
    }
    if (told.style === "steps") return { ...common, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } };
    if (told.style === "dots") return { ...common, points: { show: true, size: 7, fill: stroke } };
    if (told.style === "dashes") return { ...common, dash: [8, 6], points: { show: false } };
    return { ...common, points: { show: false } };
  }

  // Names under the chart: level while they fit, else slanted; of very many only every so many.
  function namedAxis(told, room, ink) {
    const each = room / told.labels.length;
    const every = Math.max(1, Math.ceil(20 / each));
    let names = told.labels.map((name, index) => (index % every ? "" : cut(name, LONGEST_LABEL)));
    const isLevel = every === 1 && Math.max(...names.map(widthOf)) < each - 6;
    // A slanted name begins to the left of its bar: those of the first bars have less room.
    if (!isLevel) names = names.map((name, index) => narrowed(name, (NUMBERS_ROOM + each * (index + 0.5)) / SLANT));
    const widest = Math.max(...names.map(widthOf));
    return {
      stroke: ink, grid: { show: false }, ticks: { show: false }, font: FONT, gap: 6,
      splits: () => told.labels.map((_name, index) => index),
      values: () => names,
      ...(isLevel ? { size: 34 } : { rotate: 45, size: Math.ceil(widest * SLANT) + 26 }),
    };
  }

  // The clock on the site's wall; the day stands under the first hour of each.
  function timeAxis(told, ink, rule) {
    const locale = language === "en" ? "en-GB" : language;
    const clock = new Intl.DateTimeFormat(locale, { timeZone: told.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const day = new Intl.DateTimeFormat(locale, { timeZone: told.zone, day: "numeric", month: "short" });
    return {
      stroke: ink, grid: { show: false }, ticks: { stroke: rule, width: 1 }, font: FONT, size: 48, space: 64,
      values: (_u, splits) => {
        let before = "";
        const areDays = splits.length > 1 && splits[1] - splits[0] >= 82800;
        return splits.map((at) => {
          const on = day.format(at * 1e3);
          if (areDays) return on;
          const text = on === before ? clock.format(at * 1e3) : `${clock.format(at * 1e3)}\n${on}`;
          before = on;
          return text;
        });
      },
    };
  }

  function draw(figure) {
    const told = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const place = figure.querySelector("[data-chart-drawn]");
    drawn.get(figure)?.stop();
    place.replaceChildren();
    const named = told.labels.length > 0;
    const xs = named ? told.labels.map((_name, index) => index) : told.at;
    if (!xs.length) return;
    const ink = resolved("ink-soft");
    const rule = resolved("rule");
    const grid = { stroke: rule, width: 1 };
    const bars = told.series.filter((series) => series.style === "bars").length;
    const whole = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { timeZone: told.zone, dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

    function make() {
      const width = place.clientWidth;
      const scales = { x: { time: !named, range: named ? [-0.6, xs.length - 0.4] : undefined } };
      const sides = [["left", told.unit, 3], ["right", told.rightUnit, 1]].filter(([scale]) => told.series.some((series) => series.scale === scale));
      const axes = [named ? namedAxis(told, width - 64 * sides.length, ink) : timeAxis(told, ink, rule)];
      for (const [scale, unit, side] of sides) {
        const own = told.series.filter((series) => series.scale === scale);
        const fromZero = own.some((series) => series.style === "bars") || unit === "%";
        scales[scale] = { range: (_u, low, high) => uPlot.rangeNum(fromZero ? Math.min(0, low ?? 0) : (low ?? 0), high ?? 1, { min: { pad: fromZero && !(low < 0) ? 0 : 0.1, soft: 0, mode: fromZero ? 1 : 3 }, max: { pad: 0.1, soft: 0, mode: 2 } }) };
        axes.push({
          scale, side, stroke: ink, grid: scale === "left" ? grid : { show: false }, ticks: grid, font: FONT, space: 44,
          size: (_u, values) => Math.max(44, ...(values || []).map((value) => Math.ceil(widthOf(value)) + 18)),
          // A long unit stands once, at the top.
          values: (_u, values) => values.map((value, at) => {
            const isTold = unit && (unit.length < 3 || at === values.length - 1);
            return value == null ? "" : `${written(value)}${isTold ? `\u00a0${unit}` : ""}`;
          }),
        });
      }
      let barPlace = -1;
      return new uPlot(
        {
          width,
          // What slanted names take is not taken from the drawing.
          height: told.height + (typeof axes[0].size === "number" ? Math.max(0, axes[0].size - 48) : 0),
          tzDate: (moment) => uPlot.tzDate(new Date(moment * 1e3), told.zone),
          cursor: { drag: { x: !named, y: false }, points: { size: 8 } },
          legend: { live: matchMedia("(hover: hover)").matches },
          scales,
          axes,
          series: [
            { label: "", value: (_u, at) => (at == null ? "" : named ? (told.labels[at] ?? "") : whole.format(at * 1e3)) },
            ...told.series.map((series) => seriesOf(series, series.style === "bars" ? ++barPlace : 0, bars)),
          ],
        },
        [xs, ...told.series.map((series) => series.values)],
        place,
      );
    }
    let plot = make();
    const observer = new ResizeObserver(() => {
      if (!place.clientWidth || Math.abs(place.clientWidth - plot.width) < 2) return;
      plot.destroy();
      plot = make();
    });
    observer.observe(place);
    drawn.set(figure, { stop: () => { observer.disconnect(); plot.destroy(); drawn.delete(figure); } });
  }

  const drawAll = (within) => within.querySelectorAll("[data-chart]").forEach(draw);
  document.body.append(probe);
  probe.hidden = true;
  drawAll(document);
  document.addEventListener("charts:draw", (event) => {
    drawn.forEach((one, figure) => { if (!figure.isConnected) one.stop(); });
    drawAll(event.target);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
})();
