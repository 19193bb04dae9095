// The operator's terminal: sheets, keypad, entries through the queue, identity, and fresh numbers.
"use strict";

(() => {
  const page = document.querySelector("[data-operate]");
  if (!page) return;
  const { user, machine, zone } = page.dataset;
  const words = JSON.parse(document.getElementById("operate-words").textContent);
  const say = (name, values = {}) =>
    words[name].replace(/\{(\w+)\}/g, (_, key) => (key in values ? String(values[key]) : ""));
  const find = (selector, within = document) => within.querySelector(selector);
  const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
  const SKEW_MS = 60000;
  const SURE_MS = 4000;
  const ACTS = { running: ["pause", "finish", "report"], paused: ["resume", "finish", "report"], waiting: ["start"], held: [] };
  const AFTER = { start: "running", resume: "running", pause: "paused", finish: "over" };
  let latest = { entries: [], online: true, offset: null, account: user };
  const drawnAt = (main) => new Date(Number(main.dataset.now) * 1000);
  let shownAt = drawnAt(page);

  // --- times, by the plant's wall ---

  let clock;
  try {
    clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  } catch {
    clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  }
  const tick = () => {
    const place = find("[data-clock] b");
    if (place) place.textContent = clock.format(operateQueue.plantTime());
  };

  // --- sheets ---

  const sheet = (name) => find(`dialog[data-sheet="${name}"]`);
  const openSheet = () => find("dialog[open]");

  function open(name, opener = null) {
    const dialog = sheet(name);
    if (!dialog) return null;
    const other = openSheet();
    if (other && other !== dialog) close(other);
    if (name === "explain") {
      const wanted = opener ? opener.dataset.stop : "";
      findAll("[data-of-stop]", dialog).forEach((part) => {
        part.hidden = part.dataset.ofStop !== wanted;
      });
      const title = opener && find("h2", opener.closest("section") || document);
      if (title) find("[data-stop-words]", dialog).textContent = title.textContent;
    }
    if (name === "beside") loadBeside(opener);
    if (name === "queue") drawQueue();
    if (!dialog.open) dialog.showModal();
    const first = find("[data-pad], .op-input", dialog);
    if (first) aim(first);
    return dialog;
  }

  function close(dialog) {
    operateScan.stop();
    dialog.close();
  }

  async function loadBeside(opener) {
    const place = find("[data-beside-here]");
    const operation = opener ? opener.dataset.operation : "";
    try {
      const response = await operateQueue.ask(`${page.dataset.beside}${operation ? `?operation=${operation}` : ""}`);
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      const part = find('[data-part="beside"]', fresh);
      if (part) place.replaceChildren(document.importNode(part, true));
    } catch {
      // What was shown last stays readable.
      if (!place.childElementCount) place.textContent = say("no_network");
    }
  }

  // --- the keypad ---

  let aimed = null;
  function aim(input) {
    if (aimed) aimed.classList.remove("is-padded");
    aimed = input;
    if (input.matches("[data-pad]")) input.classList.add("is-padded");
    input.focus({ preventScroll: true });
  }

  function type(key) {
    if (!aimed || !aimed.matches("[data-pad]")) return;
    if (key === "back") aimed.value = aimed.value.slice(0, -1);
    else if (key !== "." || !aimed.value.includes(".")) aimed.value += key;
    aimed.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // --- entries ---

  const who = () => {
    const strip = find("[data-who]");
    return { id: strip.dataset.who, name: strip.dataset.whoName };
  };

  function entryOf(form, submitter) {
    const body = {};
    for (const field of findAll("[data-json]", form)) {
      if (field === submitter || field.type === "submit") continue;
      if ((field.type === "radio" || field.type === "checkbox") && !field.checked) continue;
      // A comma is how many write it.
      const value = field.matches("[data-pad]") ? field.value.trim().replace(",", ".") : field.value;
      if (value.trim() !== "") body[field.dataset.json] = value;
    }
    if (submitter && submitter.dataset.json) body[submitter.dataset.json] = submitter.value;
    const person = who();
    const how = form.dataset.employee || "id";
    if (how === "id" && person.id) body.employee = Number(person.id);
    if (how === "person" && person.name) body.person = person.name;
    const parts = [form.dataset.label, submitter && submitter.dataset.label];
    for (const name of ["good", "scrap", "code", "quantity"]) if (body[name]) parts.push(`${name === "code" ? "" : "· "}${body[name]}`);
    return {
      url: form.dataset.url,
      body,
      act: form.dataset.act || "",
      timeField: form.dataset.time || "",
      keyInBody: form.dataset.key === "body",
      subject: form.dataset.subject,
      label: parts.filter(Boolean).join(" "),
      machine,
      who: person.name,
      sheet: (form.closest("dialog") || { dataset: {} }).dataset.sheet || "",
    };
  }

  async function submit(form, submitter) {
    const button = submitter || find("button[type=submit]", form);
    if (form.dataset.confirm && !button.classList.contains("is-sure")) {
      sure(button, form.dataset.confirm);
      return;
    }
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    button.classList.remove("is-sure");
    showRefusal(form, "");
    try {
      const replacing = form.dataset.correcting ? Number(form.dataset.correcting) : null;
      const entry = entryOf(form, submitter);
      const id = await operateQueue.add(entry, replacing);
      waitingFor.set(id, form);
      // The name was for this entry; whether the server has it yet changes nothing about that.
      if (who().id && find("[data-who]").dataset.forgets) forget();
      // What takes long is kept; nobody stands and waits for a network.
      const done = operateQueue.flush();
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 2500))]);
      const kept = (await operateQueue.all()).find((one) => one.id === id);
      if (kept && kept.state === "refused") return;
      if (kept) toast(say("kept", { what: entry.label }));
      settled(form);
    } finally {
      delete form.dataset.busy;
      if (skipped) refresh();
    }
  }

  // Whether a part was left as it was, since somebody was just pressing something in it.
  let skipped = false;
  const waitingFor = new Map();

  function settled(form) {
    delete form.dataset.correcting;
    form.reset();
    const dialog = form.closest("dialog");
    if (dialog && dialog.open) close(dialog);
  }

  function sure(button, text) {
    const place = find("[data-words]", button) || button;
    const before = place.textContent;
    button.classList.add("is-sure");
    place.textContent = text;
    setTimeout(() => {
      button.classList.remove("is-sure");
      place.textContent = before;
    }, SURE_MS);
  }

  function showRefusal(form, text) {
    const place = find("[data-refused]", form) || find("[data-refused]", form.closest("dialog") || form);
    if (place) {
      place.textContent = text;
      place.hidden = !text;
    }
    return Boolean(place);
  }

  let toastTimer = 0;
  function toast(text, isRefused = false) {
    const place = find("[data-toast]");
    place.textContent = text;
    place.className = isRefused ? "errors" : "said";
    place.hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => {
      place.hidden = true;
    }, isRefused ? 15000 : 5000);
  }

  operateQueue.listen((state) => {
    latest = { ...latest, ...state };
    const { done } = state;
    if (done) {
      const form = waitingFor.get(done.entry.id);
      waitingFor.delete(done.entry.id);
      if (done.outcome === "sent") {
        unseen.push(done.entry);
        toast(say("saved", { what: done.entry.label }));
        refresh();
      } else if (form && form.isConnected) {
        // It stays as it was typed, and is the same entry when it is sent again.
        form.dataset.correcting = String(done.entry.id);
        if (!showRefusal(form, done.entry.reason)) toast(done.entry.reason, true);
      } else {
        toast(`${done.entry.label}: ${done.entry.reason}`, true);
      }
    }
    if (latest.online) tellToForget();
    if (latest.online && missed && !refreshing) refresh();
    draw();
  });

  // --- what waits, and what the screen says about it ---

  const mine = () => latest.entries;
  // What the server has taken since the page that stands here was asked for; the network may go before the next one comes.
  let unseen = [];

  function draw() {
    const waiting = mine().filter((entry) => entry.state === "waiting").length;
    const refused = mine().length - waiting;
    const button = find("[data-queue]");
    button.hidden = !mine().length;
    button.classList.toggle("is-refused", refused > 0);
    const parts = [waiting && say("waiting", { n: waiting }), refused && say("refused", { n: refused })];
    find("[data-queue-words]").textContent = parts.filter(Boolean).join(" · ");
    const lost = find("[data-offline]");
    const loggedOut = latest.online && latest.account !== user;
    lost.classList.toggle("is-lost", !latest.online || loggedOut);
    find("[data-offline-words]").textContent = loggedOut ? say("log_in") : say("offline", { time: clock.format(shownAt) });
    const off = Math.abs(latest.offset || 0);
    find("[data-skew]").classList.toggle("is-lost", off > SKEW_MS);
    find("[data-skew-words]").textContent = say("skew", { minutes: Math.round(off / 60000) });
    drawActions();
    if (sheet("queue").open) drawQueue();
  }

  // Buttons follow what was just sent and what waits, so that one can go on without a network.
  function drawActions() {
    const place = find("[data-part=actions]");
    if (!place || !place.dataset.subject) return;
    let status = place.dataset.status;
    for (const entry of [...unseen, ...mine().filter((one) => one.state === "waiting")]) {
      if (entry.subject === place.dataset.subject && AFTER[entry.act]) status = AFTER[entry.act];
    }
    const may = ACTS[status] || [];
    findAll("[data-act]", place).forEach((one) => {
      one.hidden = !may.includes(one.dataset.act);
    });
    findAll("[data-act=resume] button, [data-act=start] button", place).forEach((button) => {
      if (status !== place.dataset.status) button.disabled = false;
    });
  }

  function drawQueue() {
    const list = find("[data-waiting]");
    list.replaceChildren(
      ...mine().map((entry) => {
        const row = document.createElement("li");
        const title = document.createElement("b");
        title.textContent = entry.label;
        const when = document.createElement("span");
        when.className = "soft";
        const state = entry.state === "refused" ? "" : entry.user === latest.account ? say("not_sent") : say("other_user");
        when.textContent = ` ${clock.format(entry.madeAt + (entry.offset ?? latest.offset ?? 0))} · ${entry.who || say("nobody")} ${state && `· ${state}`}`;
        row.append(title, when);
        if (entry.state === "refused") {
          row.className = "is-refused";
          const reason = document.createElement("p");
          reason.textContent = entry.reason;
          row.append(reason);
        }
        const choices = document.createElement("div");
        choices.className = "choices";
        if (entry.state === "refused") choices.append(choice("correct", "button", () => correct(entry)));
        choices.append(
          choice("discard", "button quiet", (button) => {
            if (button.classList.contains("is-sure")) operateQueue.remove(entry.id);
            else sure(button, say("discard_sure"));
          }),
        );
        row.append(choices);
        return row;
      }),
    );
  }

  function choice(name, style, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = style;
    button.textContent = say(name);
    button.addEventListener("click", () => act(button));
    return button;
  }

  function correct(entry) {
    const form = findAll("form[data-entry]").find(
      (one) => one.dataset.url === entry.url && one.dataset.subject === entry.subject && (!entry.sheet || one.closest(`[data-sheet="${entry.sheet}"]`)),
    );
    const dialog = form && form.closest("dialog");
    if (!form || !dialog) {
      // Nothing to type in it: it is tried again as it is.
      const { id, ...same } = entry;
      operateQueue.add(same, id).then(operateQueue.flush);
      return;
    }
    open(dialog.dataset.sheet);
    for (const field of findAll("[data-json]", form)) {
      const value = entry.body[field.dataset.json];
      if (field.type === "radio") field.checked = field.value === value;
      else if (field.type !== "hidden" && field.type !== "submit") field.value = value === undefined ? "" : value;
    }
    form.dataset.correcting = String(entry.id);
    showRefusal(form, entry.reason);
  }

  // --- who is there ---

  let whoChanges = 0; // what the server drew before the last change is old
  function showWho(employee, forgets = "") {
    whoChanges += 1;
    const strip = find("[data-who]");
    strip.dataset.who = employee ? String(employee.id) : "";
    strip.dataset.whoName = employee ? employee.name : "";
    strip.dataset.forgets = forgets;
    strip.classList.toggle("is-known", Boolean(employee));
    find("b", strip).textContent = employee ? employee.name : say("nobody");
  }

  async function tellWho(fields) {
    const response = await operateQueue.ask(page.dataset.whoUrl, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "X-CSRFToken": operateQueue.token(), Accept: "application/json" },
    });
    return { ok: response.ok, said: await response.json() };
  }

  async function identify(fields) {
    const dialog = sheet("who");
    try {
      const { ok, said } = await tellWho(fields);
      if (!ok) {
        open("who");
        showRefusal(dialog, said.detail);
        return;
      }
      if (fields.do === "identify") sessionStorage.removeItem(FORGETTING);
      showWho(said.employee, said.forgets ? "yes" : "");
      const strip = find("[data-who]");
      strip.dataset.forgetAfter = said.forget_after || "";
      wait();
      if (dialog.open) close(dialog);
      refresh();
    } catch {
      open("who");
      showRefusal(dialog, say("no_network"));
    }
  }

  // Until the server has forgotten, too, nothing that it says brings the name back.
  const FORGETTING = "mes-forgetting";
  let isTelling = false;
  const mustForget = () => sessionStorage.getItem(FORGETTING) === "yes";

  function forget() {
    sessionStorage.setItem(FORGETTING, "yes");
    showWho(null, find("[data-who]").dataset.forgets);
    tellToForget();
  }

  async function tellToForget() {
    if (isTelling || !mustForget()) return;
    isTelling = true;
    try {
      const { ok } = await tellWho({ do: "forget" });
      if (ok) {
        sessionStorage.removeItem(FORGETTING);
        refresh();
      }
    } catch {
      // It is said again when the server answers.
    } finally {
      isTelling = false;
    }
  }

  let forgetTimer = 0;
  let stayedAt = Date.now();
  function wait() {
    clearTimeout(forgetTimer);
    const { who: known, forgetAfter } = find("[data-who]").dataset;
    if (!known || !forgetAfter) return;
    forgetTimer = setTimeout(forget, Number(forgetAfter) * 1000);
    if (Date.now() - stayedAt > (Number(forgetAfter) * 1000) / 3) {
      stayedAt = Date.now();
      tellWho({ do: "stay" }).catch(() => {});
    }
  }

  // --- scanned codes ---

  async function scanned(code) {
    const load = sheet("load");
    // A badge opens the work of somebody; with somebody there, or the sheet open, it is material.
    if (!(load && load.open) && (!who().id || !load)) {
      identify({ do: "identify", badge: code });
      return;
    }
    open("load");
    await fill(code);
  }

  async function fill(code) {
    const load = sheet("load");
    const field = find("[data-scan-here]", load);
    const says = find("[data-scanned]", load);
    field.value = code;
    says.textContent = "";
    const quantity = find("[data-json=quantity]", load);
    aim(quantity);
    try {
      const response = await operateQueue.ask(`/material/scan/?code=${encodeURIComponent(code)}`);
      if (!response.ok) return;
      const said = await response.json();
      const lot = said.lots[0];
      if (lot) says.textContent = `${lot.product_code} ${lot.number}`;
      else if (said.product) says.textContent = said.product;
      else says.textContent = say("nothing_here", { code });
    } catch {
      // Without a network the code is kept as it is; the server says later what it is.
    }
  }

  async function photo(file) {
    const says = find("[data-scanned]", sheet("load"));
    let code = await operateScan.read(file).catch(() => "");
    if (!code) {
      // The server reads what the tablet cannot.
      try {
        const body = new FormData();
        body.append("file", file);
        const response = await operateQueue.ask("/labels/decode/", { method: "POST", body, headers: { "X-CSRFToken": operateQueue.token() } });
        const said = await response.json();
        code = response.ok && said.codes.length ? said.codes[0].text : "";
      } catch {
        code = "";
      }
    }
    if (code) await fill(code);
    else says.textContent = say("no_code");
  }

  async function camera() {
    const load = sheet("load");
    if (operateScan.isLooking()) {
      operateScan.stop();
      return;
    }
    const says = find("[data-scanned]", load);
    says.textContent = "";
    try {
      await operateScan.look(find("[data-video]", load), fill);
    } catch (why) {
      says.textContent = say(operateScan.whyNot(why));
    }
  }

  // --- fresh numbers ---

  let refreshing = false;
  let wanted = false;
  let missed = false; // the last one did not come: it is asked for again when the server answers
  async function refresh() {
    if (refreshing) {
      wanted = true;
      return;
    }
    refreshing = true;
    missed = true;
    const before = whoChanges;
    const seen = new Set(unseen);
    try {
      const response = await operateQueue.ask(location.href);
      if (!response.ok || response.redirected) return;
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      const drawn = find("[data-operate]", fresh);
      if (!drawn) return;
      // A card that appears above would push the pressed button away.
      if (press.holds(page)) {
        press.swap(page, refresh);
        return;
      }
      const swapped = swap(fresh, before === whoChanges);
      if (swapped.has("actions")) unseen = unseen.filter((entry) => !seen.has(entry));
      shownAt = drawnAt(drawn);
      missed = false;
    } catch {
      // The queue says that there is no connection.
    } finally {
      refreshing = false;
      draw();
      if (wanted) {
        wanted = false;
        setTimeout(refresh, 300);
      }
    }
  }

  // Returns the names of the parts that are new.
  function swap(fresh, isWhoFresh) {
    const seen = new Set();
    const swapped = new Set();
    skipped = false;
    for (const part of findAll("[data-part]", fresh)) {
      const { part: name } = part.dataset;
      const here = find(`[data-part="${name}"]`);
      seen.add(name);
      const isBusy = here && (here.matches("dialog[open]") || find("[data-busy], .is-sure, [data-correcting]", here) || here.matches("[data-correcting]"));
      if (isBusy && !here.matches("dialog")) skipped = true;
      if (name === "said" || isBusy || (name === "who" && (mustForget() || !isWhoFresh))) continue;
      const ready = document.importNode(part, true);
      swapped.add(name);
      prepare(ready);
      if (here) {
        const focused = here.contains(document.activeElement) ? findAll("button, a, input", here).indexOf(document.activeElement) : -1;
        here.replaceWith(ready);
        if (focused >= 0) findAll("button, a, input", ready)[focused]?.focus({ preventScroll: true });
      } else if (part.matches("dialog")) page.append(ready);
    }
    for (const here of findAll("dialog[data-part]:not([open])")) if (!seen.has(here.dataset.part)) here.remove();
    wait();
    return swapped;
  }

  // What stands open for those without a script is closed, and what only works with one is shown.
  function prepare(within) {
    const dialogs = within.matches && within.matches("dialog") ? [within] : findAll("dialog[open]", within);
    for (const dialog of dialogs) dialog.removeAttribute("open");
    findAll("[data-needs-script]", within).forEach((one) => {
      one.hidden = false;
    });
    if (matchMedia("(pointer: coarse)").matches) {
      findAll("[data-pad]:not([data-pad=any])", within).forEach((input) => input.setAttribute("inputmode", "none"));
    }
  }

  let ringing = 0;
  function ring() {
    clearTimeout(ringing);
    ringing = setTimeout(refresh, 500);
  }

  let pause = 1000;
  function listen() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${page.dataset.socket}`);
    socket.onopen = () => {
      pause = 1000;
    };
    // What the line's page is told, the terminal takes as a bell.
    socket.onmessage = ring;
    socket.onclose = () => {
      setTimeout(listen, pause);
      pause = Math.min(pause * 2, 30000);
    };
  }

  // --- hands ---

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) {
      event.preventDefault();
      open(opener.dataset.open, opener);
    }
    const closer = event.target.closest("[data-close]");
    if (closer) close(closer.closest("dialog"));
    const key = event.target.closest("[data-press]");
    if (key) type(key.dataset.press);
    if (event.target.closest("[data-send-now]")) operateQueue.flush();
    if (event.target.closest("[data-camera]")) camera();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("dialog .op-input")) aim(event.target);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-photo]") && event.target.files.length) photo(event.target.files[0]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-scan-here]")) {
      event.preventDefault();
      if (event.target.value) fill(event.target.value);
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-entry]")) {
      event.preventDefault();
      submit(form, event.submitter);
    } else if (form.matches("[data-identify]")) {
      event.preventDefault();
      identify(Object.fromEntries(new FormData(form)));
      form.reset();
    }
  });
  document.addEventListener("close", () => {
    operateScan.stop();
    draw();
  }, true);
  for (const name of ["keydown", "pointerdown", "input"]) addEventListener(name, wait, { passive: true });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  prepare(document);
  if (mustForget()) showWho(null, find("[data-who]").dataset.forgets);
  operateScan.wedge(scanned);
  operateScan.prepare(page.dataset.wasm);
  operateQueue.start({ user, clockUrl: page.dataset.clockUrl }).then(() => {
    // A page that was kept for when there is no network is older than it looks.
    if (latest.online && Math.abs(operateQueue.plantTime() - shownAt) > 60000) refresh();
  });
  setInterval(tick, 1000);
  setInterval(() => latest.online && refresh(), 30000);
  tick();
  wait();
  if ("WebSocket" in window) listen();
  if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register(page.dataset.worker, { scope: "/" }).catch(() => {});
  document.documentElement.dataset.ready = "yes";
})();
