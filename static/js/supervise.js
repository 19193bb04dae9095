// Fetches the panels that take longer, once the page is there. Without it, a link leads to them as a page of their own.
"use strict";

(() => {
  const place = document.querySelector("[data-panels]");
  if (!place) return;
  fetch(place.dataset.panels, { headers: { Accept: "text/html", "X-Requested-With": "fetch" } })
    .then((response) => (response.ok && !response.redirected ? response.text() : null))
    .then((html) => {
      if (html !== null) place.innerHTML = html;
    })
    .catch(() => undefined);
})();
