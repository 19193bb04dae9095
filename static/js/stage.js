// Saves each field of a stage on its own. What cannot be sent is kept in this browser, shown again after a reload,
// and sent when the connection is back: each value carries a key and its time, so that sending twice does no harm.
"use strict";

(() => {
  const form = document.querySelector("[data-stage-form]");
  const note = document.querySelector("[data-waiting]");
  if (!form) return;

  const RETRY_MS = 5000;
  const store = `mes-stage-${form.dataset.person}`; // one person's values are never sent in another's name
  // The template says them in the reader's language; # stands for a number.
  const words = form.dataset;
  const counted = (one, many, count) => (count === 1 ? one : many.replace("#", count));
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  let sending = null;

  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(store)) || [];
    } catch {
      return [];
    }
  };
  const write = (waiting) => {
    try {
      localStorage.setItem(store, JSON.stringify(waiting));
    } catch {
      say(words.wordNothingKept);
    }
  };
  const say = (text) => {
    note.textContent = text;
    note.hidden = !text;
  };
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const here = (one) => one.unit === form.dataset.unit && one.stage === form.dataset.stage;
  const inputOf = (entry) =>
    [...form.querySelectorAll("[data-field]")].find(
      (input) => input.dataset.field === entry.field && input.dataset.position === entry.position,
    );
  const saidOf = (input) => input?.closest("tr")?.querySelector("[data-said]");

  function keep(input) {
    const entry = { field: input.dataset.field, position: input.dataset.position, value: input.value.trim() || null, key: newKey(), occurred_at: new Date().toISOString() };
    const reason = form.querySelector("[data-reason]")?.value.trim();
    if (reason) entry.reason = reason;
    const one = { unit: form.dataset.unit, stage: form.dataset.stage, station: form.dataset.station || null, url: form.dataset.url, entry };
    // A newer value of the same field takes the place of one that was not sent yet.
    const rest = read().filter((old) => !(here(old) && old.entry.field === entry.field && old.entry.position === entry.position));
    write([...rest, one]);
    saidOf(input).textContent = words.wordNotYet;
    send();
  }

  function send() {
    sending ||= sendAll().finally(() => {
      sending = null;
    });
    return sending;
  }

  async function sendAll() {
    for (const one of read()) {
      if (one.isRefused) continue;
      const body = { stage: one.stage, entries: [one.entry], ...(one.station ? { station: Number(one.station) } : {}) };
      let response;
      try {
        response = await fetch(one.url, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
          body: JSON.stringify(body),
        });
      } catch {
        return waits(words.wordNotConnected);
      }
      if (response.status === 401) return waits(words.wordLoggedOut);
      if (response.status >= 500 || response.status === 429) return waits(words.wordNoAnswer);
      await settle(one, response);
    }
    const left = read().filter((one) => one.isRefused && here(one)).length;
    say(left ? counted(words.wordLeftOne, words.wordLeftMany, left) : "");
  }

  function waits(why) {
    const count = read().length;
    say(`${why}. ${counted(words.wordKeptOne, words.wordKeptMany, count)}`);
  }

  async function settle(one, response) {
    const input = here(one) ? inputOf(one.entry) : null;
    const rest = read().filter((old) => old.entry.key !== one.entry.key);
    if (response.ok) {
      write(rest);
      if (!input) return;
      const stage = (await response.json().catch(() => ({}))).stages?.find((row) => row.code === one.stage);
      saidOf(input).textContent = { not_ok: words.wordSavedNotOk, ok: words.wordSavedDone, as_is: words.wordSavedDone }[stage?.state] || words.wordSaved;
      // What a form without a script compares with: this value is known now.
      form.querySelector(`[name="w:${CSS.escape(input.name.slice(2))}"]`).value = one.entry.value ?? "";
      return;
    }
    const answer = await response.json().catch(() => ({}));
    const why = [answer.detail, ...Object.values(answer).filter(Array.isArray).flat()].filter((text) => typeof text === "string")[0];
    // Refused, not lost: it stays in the field with the reason until it is changed.
    write([...rest, { ...one, isRefused: true, why: why || words.wordRefused }]);
    if (input) saidOf(input).textContent = why || words.wordRefused;
  }

  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-field]")) keep(event.target);
  });
  // A scanner ends with Enter: that saves the field and goes on, it does not send the form.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input[data-field]")) return;
    event.preventDefault();
    const inputs = [...form.querySelectorAll("[data-field]")];
    (inputs[inputs.indexOf(event.target) + 1] || form.querySelector("button")).focus();
  });
  // What waits is sent first. A form that is sent again within its own submit event is ignored, hence the pause.
  form.addEventListener("submit", async (event) => {
    if (form.dataset.ready || (!sending && !read().some(here))) return;
    event.preventDefault();
    const button = event.submitter;
    await (sending || Promise.resolve());
    await send();
    if (read().some((one) => here(one) && !one.isRefused)) return;
    // What was refused goes with the form, which comes back with the reason.
    write(read().filter((one) => !here(one)));
    form.dataset.ready = "yes";
    setTimeout(() => form.requestSubmit(button), 0);
  });

  for (const one of read().filter(here)) {
    const input = inputOf(one.entry);
    if (!input) continue;
    input.value = one.entry.value ?? "";
    saidOf(input).textContent = one.isRefused ? one.why : words.wordNotYet;
  }
  addEventListener("online", send);
  setInterval(() => {
    if (read().some((one) => !one.isRefused)) send();
  }, RETRY_MS);
  if (read().length) send();
})();
