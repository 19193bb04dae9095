// Entries of the terminal wait here, in order, until the server has them: kept in IndexedDB, sent one by one, each once.
//
// An entry carries the time at which it was made, by the plant's clock: the tablet's, plus what it was measured to be off.
// A refused one (4xx) stays until somebody corrects it or throws it away; what is about the same thing waits behind it.
"use strict";

const operateQueue = (() => {
  const STORE = "entries";
  const OFFSET = "mes-clock-offset";
  const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
  const TIMEOUT_MS = 15000;
  const listeners = new Set();
  let user = "";
  let clockUrl = "";
  let sending = null;
  let again = false;
  let failures = 0;
  let timer = 0;
  let online = true;
  let account = null; // who is logged in, as the server said last
  let offset = readOffset();

  function readOffset() {
    const kept = localStorage.getItem(OFFSET);
    return kept === null || Number.isNaN(Number(kept)) ? null : Number(kept);
  }

  const opened = new Promise((resolve, reject) => {
    const asked = indexedDB.open("mes-operate", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id", autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

  async function withStore(mode, act) {
    const database = await opened;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      // Only what the disk has is kept: the entry is shown as kept once the transaction is complete.
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  const all = () => withStore("readonly", (store) => store.getAll());
  const put = (entry) => withStore("readwrite", (store) => store.put(entry));
  const remove = (id) => withStore("readwrite", (store) => store.delete(id));

  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  const plantTime = () => Date.now() + (offset || 0);

  function token() {
    const found = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
    return found ? decodeURIComponent(found.slice("csrftoken=".length)) : "";
  }

  function ask(url, options = {}) {
    const control = new AbortController();
    // Also for the body: one that stops half-way would be waited for as long as the page stands.
    setTimeout(() => control.abort(), TIMEOUT_MS);
    return fetch(url, { credentials: "same-origin", cache: "no-store", signal: control.signal, ...options });
  }

  function setOnline(is) {
    if (online === is) return;
    online = is;
    tell();
  }

  // Half the way there and back is taken off, as time servers do it.
  async function measure() {
    const left = Date.now();
    const response = await ask(clockUrl);
    const back = Date.now();
    if (!response.ok) throw new Error("no clock");
    const said = await response.json();
    offset = Math.round(said.now - (left + back) / 2);
    localStorage.setItem(OFFSET, String(offset));
    account = said.user === null ? null : String(said.user);
    setOnline(true);
  }

  async function tell(done = null) {
    const entries = await all();
    for (const listener of listeners) listener({ entries, online, offset, account, user, done });
  }

  // `replacing` is the id of a refused entry that somebody corrected: it keeps its place, its person and the time of its making.
  async function add(entry, replacing = null) {
    const made = { ...entry, key: newKey(), user, state: "waiting", reason: "", madeAt: Date.now(), offset, sentBody: null };
    if (replacing !== null) {
      const before = (await all()).find((one) => one.id === replacing);
      if (before) {
        Object.assign(made, { id: before.id, madeAt: before.madeAt, offset: before.offset, who: before.who });
        // It stays the entry of whoever made it, whoever stands there now.
        for (const name of ["employee", "person"]) {
          delete made.body[name];
          if (name in before.body) made.body[name] = before.body[name];
        }
      }
    }
    const id = await put(made);
    await tell();
    return id;
  }

  function bodyOf(entry) {
    const body = { ...entry.body };
    if (entry.timeField) {
      // Without a measured clock, the one that is known now; the plant's time is never ahead of itself.
      const at = Math.min(entry.madeAt + (entry.offset ?? offset ?? 0), plantTime());
      body[entry.timeField] = new Date(at).toISOString();
    }
    if (entry.keyInBody) body.idempotency_key = entry.key;
    return JSON.stringify(body);
  }

  async function words(response) {
    try {
      const said = await response.json();
      const parts = Object.entries(said).filter(([name]) => !["allowed", "status"].includes(name));
      return parts.map(([, value]) => (Array.isArray(value) ? value.join(" ") : String(value))).join(" ");
    } catch {
      return `${response.status} ${response.statusText}`;
    }
  }

  // Returns "sent", "refused" or "later".
  async function send(entry) {
    if (entry.sentBody === null) {
      // A repetition is the same to the last letter, or the server could not know it again.
      entry.sentBody = bodyOf(entry);
      await put(entry);
    }
    const response = await ask(entry.url, {
      method: "POST",
      body: entry.sentBody,
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "X-CSRFToken": token(),
        "Idempotency-Key": entry.key,
      },
    });
    if (response.ok) {
      await remove(entry.id);
      await tell({ entry, outcome: "sent" });
      return "sent";
    }
    if (response.status >= 500 || [401, 408, 425, 429].includes(response.status)) return "later";
    entry.state = "refused";
    entry.reason = await words(response);
    await put(entry);
    await tell({ entry, outcome: "refused" });
    return "refused";
  }

  async function run() {
    // Also when nothing waits: it tells whether the server is there.
    await measure();
    const behind = new Set();
    let id = 0;
    for (;;) {
      const next = (await all()).find((entry) => entry.id > id);
      if (!next) break;
      id = next.id;
      if (next.user !== account || next.state === "refused") behind.add(next.subject);
      if (behind.has(next.subject)) continue;
      const outcome = await send(next);
      if (outcome === "later") throw new Error("later");
      if (outcome === "refused") behind.add(next.subject);
    }
  }

  function flush() {
    again = true;
    sending = sending || drain();
    return sending;
  }

  async function drain() {
    clearTimeout(timer);
    try {
      while (again) {
        again = false;
        // Two tabs take turns where the browser lets them.
        if (navigator.locks) await navigator.locks.request("mes-operate", run);
        else await run();
      }
      failures = 0;
    } catch {
      setOnline(false);
      const pause = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
      failures += 1;
      timer = setTimeout(flush, pause);
    } finally {
      sending = null;
      await tell();
    }
  }

  return {
    start(options) {
      ({ user, clockUrl } = options);
      addEventListener("online", flush);
      addEventListener("offline", () => setOnline(false));
      setInterval(flush, 20000);
      return flush();
    },
    listen: (listener) => listeners.add(listener),
    add,
    flush,
    remove: async (id) => {
      await remove(id);
      await tell();
      flush();
    },
    all,
    ask,
    token,
    plantTime,
    isOnline: () => online,
  };
})();
