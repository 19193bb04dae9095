// Keeps a page alive: swaps in what the server sends, says so when it cannot, and fetches again what was missed.
"use strict";

(() => {
  const page = document.querySelector("[data-live-socket]");
  if (!page) return;

  const REFETCH_MS = 30000; // sockets may lose messages; the page may not
  const SILENCE_MS = 25000; // the server speaks at least every 10 s
  const banner = document.querySelector("[data-connection]");
  const lostAt = banner.querySelector("[data-lost-at]");
  const versions = new Map();
  let socket = null;
  let pause = 500;
  let heardAt = Date.now();
  let fetchedAt = Date.now();
  let shownAt = new Date();

  const clock = (moment) => moment.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

  function show(line) {
    // A line may have several charts, each with a place of its own.
    const place = document.getElementById((line.view || "").startsWith("chart-") ? line.view : `line-${line.id}`);
    // What was asked for earlier may arrive later; the newer one stays.
    if (!place || line.version <= (versions.get(place.id) || 0)) return;
    versions.set(place.id, line.version);
    press.swap(place, () => swapIn(place, line));
  }

  function swapIn(place, line) {
    // Who walks through the links with the keyboard stays where they are.
    const focused = [...place.querySelectorAll("a")].indexOf(document.activeElement);
    place.innerHTML = line.html;
    if (focused >= 0) place.querySelectorAll("a")[focused]?.focus({ preventScroll: true });
    shownAt = new Date();
    tick();
  }

  function lose() {
    if (!banner.classList.contains("is-lost")) {
      lostAt.textContent = clock(shownAt);
      banner.classList.add("is-lost");
    }
  }

  function recover() {
    banner.classList.remove("is-lost");
    pause = 500;
  }

  async function refetch() {
    fetchedAt = Date.now();
    try {
      const response = await fetch(page.dataset.liveFragments, { headers: { Accept: "application/json" } });
      if (response.redirected || response.status === 404) return window.location.reload();
      if (!response.ok) return undefined;
      (await response.json()).lines.forEach(show);
    } catch {
      lose();
    }
    return undefined;
  }

  function connect() {
    const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${window.location.host}${page.dataset.liveSocket}`);
    socket.onopen = () => {
      heardAt = Date.now();
      recover();
      refetch();
    };
    socket.onmessage = (event) => {
      heardAt = Date.now();
      const message = JSON.parse(event.data);
      if (message.type === "resync") refetch();
      if (message.type === "line") show(message);
    };
    socket.onclose = (event) => {
      // An empty plant has nothing to watch: look again later, and not over and over.
      if (event.code === 4404 && !document.querySelector('[id^="line-"], [id^="chart-"]')) return setTimeout(() => window.location.reload(), 15000);
      lose();
      if (event.code === 4401 || event.code === 4404) return window.location.reload();
      setTimeout(connect, pause + Math.random() * 250);
      pause = Math.min(pause * 2, 10000);
      return undefined;
    };
  }

  function since(moment) {
    const seconds = Math.max(0, Math.floor((Date.now() - moment) / 1000));
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
    return minutes ? `${minutes} min ${String(seconds % 60).padStart(2, "0")} s` : `${seconds} s`;
  }

  function tick() {
    page.querySelectorAll("[data-since]").forEach((place) => {
      place.textContent = since(new Date(place.dataset.since));
    });
  }

  setInterval(() => {
    tick();
    if (Date.now() - heardAt > SILENCE_MS && socket.readyState === WebSocket.OPEN) socket.close();
    if (Date.now() - fetchedAt > REFETCH_MS) refetch();
  }, 1000);
  window.addEventListener("offline", lose);
  tick();
  connect();
})();
