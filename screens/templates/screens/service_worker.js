{% comment %}Kept at the root, so that it may serve every page of the terminal.{% endcomment %}// Lets the operator's terminal open without a network: keeps its scripts and styles, and the last page of the one log-in
// that uses this tablet. Nothing else is kept: no data of others, no answers of the REST API.
"use strict";

const SHELL = {{ shell_json }};
const KEPT = "mes-shell-1";
const PAGES = "mes-pages-";

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((cache) => cache.addAll(SHELL))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((n) => n.startsWith("mes-shell-") && n !== KEPT).map((n) => caches.delete(n))))
      .then(() => self.clients.claim()),
  );
});

async function forgetPages(but) {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PAGES) && name !== but).map((name) => caches.delete(name)));
}

// One page for each machine, whatever it was asked with; the choice of the machine leads to it.
const keyOf = (url) => new Request(url.origin + url.pathname);

async function page(request, url) {
  try {
    const response = await fetch(request);
    const user = response.headers.get("X-Shell-User");
    if (response.ok && user) {
      const mine = PAGES + user;
      await forgetPages(mine);
      const cache = await caches.open(mine);
      await cache.put(keyOf(url), response.clone());
    } else if (response.redirected && new URL(response.url).pathname.startsWith("/login/")) {
      await forgetPages("");
    }
    return response;
  } catch (failure) {
    // Who opens the page gets the kept one; a page that asks for fresh numbers has some as good, and must hear that none came.
    if (request.mode !== "navigate") throw failure;
    const names = (await caches.keys()).filter((name) => name.startsWith(PAGES));
    for (const name of names) {
      const cache = await caches.open(name);
      const kept = (await cache.match(keyOf(url))) || (url.pathname === "/operate/" && (await cache.matchAll())[0]);
      if (kept) return kept;
    }
    throw failure;
  }
}

async function asset(request) {
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (failure) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw failure;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (url.pathname === "/logout/" || (url.pathname === "/login/" && request.method === "POST")) {
    // Another one may come next: what this one saw is forgotten first.
    event.respondWith(forgetPages("").then(() => fetch(request)));
    return;
  }
  if (request.method !== "GET") return;
  const isTerminal = /^\/operate\/(?:[A-Za-z0-9][^/]*\/)?$/.test(url.pathname);
  if (isTerminal) event.respondWith(page(request, url));
  else if (SHELL.includes(url.pathname)) event.respondWith(asset(request));
});
