// A handle to drag for the moment at which a stop is cut; it and the written time follow each other. Works without, by writing.
"use strict";

(() => {
  const form = document.querySelector("[data-split]");
  if (!form) return;
  const handle = form.querySelector("[data-split-handle]");
  const range = handle.querySelector("input");
  const written = form.querySelector("input[name=at]");
  const chosen = document.querySelector(".time-chosen");
  const line = document.querySelector("[data-cut-line]");
  const seconds = Number(form.dataset.seconds);
  if (seconds < 2) return;
  handle.hidden = false;

  // The site's wall clock, reckoned as if it were UTC, so that no zone of the browser comes between.
  const start = Date.parse(`${form.dataset.start}Z`);
  const clock = (passed) => new Date(start + passed * 1000).toISOString().slice("oneDay" in form.dataset ? 11 : 0, 19);

  function draw(passed) {
    const at = Number(chosen.getAttribute("x")) + (Number(chosen.getAttribute("width")) * passed) / seconds;
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    range.setAttribute("aria-valuetext", clock(passed).slice(-8));
  }

  function read() {
    const text = written.value.trim().replace(" ", "T");
    const whole = text.includes("T") ? text : `${form.dataset.start.slice(0, 10)}T${text}`;
    const passed = (Date.parse(`${whole}Z`) - start) / 1000;
    return Number.isFinite(passed) && passed > 0 && passed < seconds ? passed : null;
  }

  range.addEventListener("input", () => {
    written.value = clock(Number(range.value));
    draw(Number(range.value));
  });
  written.addEventListener("input", () => {
    const passed = read();
    if (passed === null) return;
    range.value = passed;
    draw(passed);
  });
  const first = read() ?? Math.floor(seconds / 2);
  range.value = first;
  draw(first);
})();
