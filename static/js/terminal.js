// Forgets who stands at a shared terminal when nobody touches it, and never shows a page that was gone back to.
"use strict";

(() => {
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  const form = document.querySelector("[data-forget-after]");
  if (!form) return;
  const pause = Number(form.dataset.forgetAfter) * 1000;
  let timer = 0;
  // The server forgets after the same time by itself; this only clears the screen.
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => form.requestSubmit(), pause);
  };
  for (const name of ["keydown", "pointerdown", "input"]) addEventListener(name, wait, { passive: true });
  wait();
})();
