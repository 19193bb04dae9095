// A form that cannot be sent stays as it was typed, and a second tap while it is on its way sends nothing twice.
"use strict";

(() => {
  const AGAIN_MS = 5000; // an answer that is a file leaves the page as it is
  const words = document.querySelector("[data-unsent]");
  const sent = new WeakMap();

  // On the window, after whatever sends entries by itself.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    const isOffline = !navigator.onLine;
    words.classList.toggle("is-lost", isOffline);
    if (isOffline || Date.now() - (sent.get(form) || 0) < AGAIN_MS) event.preventDefault();
    else sent.set(form, Date.now());
  });
  addEventListener("online", () => words.classList.remove("is-lost"));
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.forms) sent.delete(form);
  });
})();
