// The planner's board: draws what the server tells, and asks the server for every change. What may be planned, and what
// collides, the server decides and says in words; a bar that it refuses goes back to where it was.
"use strict";

(() => {
  const board = document.querySelector("[data-planner]");
  const told = JSON.parse(document.getElementById("planner-settings").textContent);
  const words = told.words;
  const mayPlan = "mayPlan" in board.dataset;
  const language = document.documentElement.lang;
  const REFETCH_MS = 30000; // announcements may be lost; the page may not
  const SILENCE_MS = 25000; // the server speaks at least every 10 s
  const STEP_MINUTES = { day: 5, week: 15, month: 60 }[told.view];

  const find = (name) => board.querySelector(`[data-${name}]`);
  const put = (text, what) => text.replace("%s", what);

  // --- time: everything is shown and entered in the site's time, wherever the browser stands ---

  const wallParts = new Intl.DateTimeFormat("en-US", {
    timeZone: told.zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  });
  const offsets = new Map();

  // Minutes that the site's clock is ahead of UTC; clocks change at quarters of an hour at most.
  function offsetAt(moment) {
    const quarter = Math.floor(moment / 900000);
    if (!offsets.has(quarter)) {
      const at = Object.fromEntries(wallParts.formatToParts(quarter * 900000).map((part) => [part.type, Number(part.value)]));
      offsets.set(quarter, Math.round((Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) - quarter * 900000) / 60000));
    }
    return offsets.get(quarter);
  }

  vis.moment.updateOffset = (moment, keepTime) => {
    if (!moment.isValid()) return;
    const offset = offsetAt(moment.valueOf());
    if (!moment._isUTC || moment.utcOffset() !== offset) moment.utcOffset(offset, keepTime);
  };

  const short = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { timeZone: told.zone, hourCycle: "h23", weekday: "short", day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit" });
  const shown = (moment) => short.format(new Date(moment));
  const asWall = (moment) => new Date(Number(new Date(moment)) + offsetAt(Number(new Date(moment))) * 60000).toISOString().slice(0, 16);
  const asMoment = (wall) => {
    const guess = Date.parse(`${wall}Z`);
    const once = guess - offsetAt(guess) * 60000;
    return new Date(guess - offsetAt(once) * 60000).toISOString();
  };
  const lengthWords = (seconds) => {
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  };

  // --- what is said ---

  const said = find("said");
  const refused = find("refused");
  const say = (text) => { said.textContent = text; refused.hidden = true; };
  const refuse = (text) => { refused.textContent = text; refused.hidden = false; said.textContent = ""; };

  function element(name, className, ...inside) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...inside.filter((part) => part !== null && part !== ""));
    return made;
  }
  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${told.icons}#${name}`);
    svg.append(use);
    return svg;
  }

  // --- asking the server ---

  const token = board.querySelector("[name=csrfmiddlewaretoken]").value;

  function reasonsOf(body) {
    if (typeof body === "string") return [body];
    if (Array.isArray(body)) return body.flatMap(reasonsOf);
    return body && typeof body === "object" ? Object.values(body).flatMap(reasonsOf) : [];
  }

  async function ask(address, body, method = "POST") {
    let answer;
    try {
      answer = await fetch(address, {
        method,
        headers: { "Content-Type": "application/json", "X-CSRFToken": token, Accept: "application/json" },
        body: JSON.stringify(body),
      });
    } catch {
      throw new Error(words.failed);
    }
    const read = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(reasonsOf(read).join(" ") || words.failed), { status: answer.status });
    return read;
  }

  const ENTRIES = "/schedule-run/schedule/";
  // What is known of an entry, under all names that it has had: planned anew it has another id.
  const known = new Map();
  const refOf = (id) => {
    if (!known.has(id)) known.set(id, { id, version: null });
    return known.get(id);
  };
  async function act(ref, name, body = {}) {
    return answered(ref, await ask(`${ENTRIES}${ref.id}/${name}/`, { ...body, seen_version: ref.version }));
  }
  // The next step may be taken before the board is fetched again: it begins where this one ended.
  function answered(ref, entry) {
    ref.version = entry.version;
    ref.now = { line: entry.line, start: entry.planned_start_at, end: entry.planned_end_at, stored: entry.status };
    Object.assign(barOf(ref.id) || {}, ref.now);
    return entry;
  }
  async function place(body, ref = null) {
    const entry = await ask(ENTRIES, body);
    const kept = ref || refOf(entry.id);
    known.set(entry.id, Object.assign(kept, { id: entry.id, version: entry.version }));
    return kept;
  }

  // --- what was done, to be undone ---

  const done = [];
  const undone = [];
  function remember(step) {
    done.push(step);
    undone.length = 0;
    showSteps();
  }
  function showSteps() {
    if (!mayPlan) return;
    find("undo").disabled = !done.length;
    find("redo").disabled = !undone.length;
  }
  async function again(from, to, name, sentence) {
    const step = from.pop();
    if (!step) return;
    let tell;
    try {
      await step[name]();
      to.push(step);
      tell = () => say(put(sentence, step.words));
    } catch (error) {
      // What somebody else changed meanwhile cannot be taken back any more.
      tell = () => refuse(error.message);
    }
    showSteps();
    await refresh();
    tell();
  }

  // --- the drawing ---

  let data = { bars: [], lines: [], times: [], days: [], backlog: [] };
  let needs = {};
  let ghosts = [];
  let selected = null;
  let isDragging = false;
  const groups = new vis.DataSet();
  const items = new vis.DataSet();
  const barOf = (id) => data.bars.find((bar) => bar.id === id);
  const lineName = (id) => (data.lines.find((line) => line.id === id) || {}).name || "";

  const missingOf = (bar) => Object.entries(needs[bar.id] || {}).filter(([, answer]) => answer.isThere === false).map(([name]) => name);

  function content(item) {
    if (item.type === "background") return element("span", "plan-time-name", item.name || "");
    if (item.isRun) return element("span", "");
    if (item.isGhost) return element("span", "plan-bar", element("b", "", item.name), element("span", "plan-note", words.suggested));
    const bar = barOf(item.id);
    if (!bar) return element("span", "");
    const flags = element("span", "plan-flags");
    if (bar.isLate || bar.overdue) flags.append(icon("exclamation-triangle-fill"), bar.isLate ? words.delayed : words.overdue);
    for (const name of missingOf(bar)) flags.append(icon({ material: "box-seam", people: "people", equipment: "tools" }[name]), `${words[name]} ${words.missing}`);
    const inside = element("span", "plan-bar", element("b", "", bar.title), element("span", "plan-note", [bar.product, bar.made].filter(Boolean).join(" · ")), flags);
    if (bar.share === null) return inside;
    const meter = element("span", "plan-meter");
    meter.style.width = `${bar.share}%`;
    return element("span", "plan-filled", meter, inside);
  }

  const timeline = new vis.Timeline(find("chart-of-plan"), items, groups, {
    locale: language,
    orientation: { axis: "top", item: "top" },
    start: told.start, end: told.end, min: told.start, max: told.end,
    zoomMin: 3600000,
    zoomKey: "ctrlKey",
    stack: false,
    selectable: true,
    multiselect: false,
    itemsAlwaysDraggable: { item: mayPlan, range: mayPlan },
    editable: mayPlan ? { updateTime: true, updateGroup: true, add: false, remove: false } : false,
    snap: (moment) => new Date(Math.round(Number(moment) / (STEP_MINUTES * 60000)) * STEP_MINUTES * 60000),
    margin: { axis: 6, item: { horizontal: 0, vertical: 60 } },
    groupOrder: "place",
    groupTemplate: (group) => group && element("span", "plan-line", element("b", "", group.name), element("span", "plan-note", group.area)),
    template: content,
    showTooltips: false,
    tooltipOnItemUpdateTime: { template: (item) => `${shown(item.start)} – ${shown(item.end)} · ${lineName(item.group)}` },
    onMoving: (item, callback) => { isDragging = true; callback(item); },
    onMove: async (item, callback) => {
      isDragging = false;
      const moved = await move(item.id, { line: item.group, start: item.start.toISOString(), end: item.end.toISOString() });
      callback(moved ? item : null);
      await refresh();
    },
  });

  // Browsers scroll what is hidden into view, for a search in the page or a focus; the drawing would no longer fit its scale.
  find("chart-of-plan").querySelectorAll(".vis-panel").forEach((panel) => panel.addEventListener("scroll", () => { panel.scrollLeft = 0; }));

  function barItem(bar) {
    const late = bar.isLate || bar.overdue ? " is-late" : "";
    const kind = bar.kind === "production" ? ` is-${bar.status}` : " is-other";
    return {
      id: bar.id, group: bar.line, start: new Date(bar.start), end: new Date(bar.end), type: "range",
      className: `plan-item${kind}${late} is-stored-${bar.stored}`,
      shown: JSON.stringify([bar, missingOf(bar)]),
    };
  }
  function allItems() {
    const runs = data.bars.flatMap((bar) => bar.runs.map((run, number) => ({
      id: `run-${bar.id}-${number}`, group: bar.line, start: new Date(run.start), end: new Date(run.end), type: "range",
      className: "plan-run", editable: false, selectable: false, isRun: true,
    })));
    const time = (kind) => (span, number) => ({
      id: `${kind}-${number}`, group: span.line, start: new Date(span.start), end: new Date(span.end), type: "background",
      className: `plan-time ${span.kind.split(" ").map((name) => `is-${name}`).join(" ")}`, name: told.view !== "day" && kind === "time" ? "" : span.name,
    });
    const suggested = ghosts.map((entry, number) => ({
      id: `ghost-${number}`, group: entry.line, start: new Date(entry.planned_start_at), end: new Date(entry.planned_end_at), type: "range",
      className: "plan-item is-ghost", editable: false, selectable: false, isGhost: true, name: entry.order_number,
    }));
    return [...data.times.map(time("time")), ...data.days.map(time("day")), ...data.bars.map(barItem), ...runs, ...suggested];
  }
  function sameItem(one, other) {
    return Number(one.start) === Number(other.start) && Number(one.end) === Number(other.end) && one.group === other.group && one.className === other.className && one.shown === other.shown && one.name === other.name;
  }
  function draw() {
    const wanted = allItems();
    const ids = new Set(wanted.map((item) => item.id));
    const lines = data.lines.map((line, place_) => ({ ...line, place: place_, content: line.name }));
    if (JSON.stringify(groups.get()) !== JSON.stringify(lines)) { groups.clear(); groups.add(lines); }
    items.remove(items.getIds().filter((id) => !ids.has(id)));
    items.update(wanted.filter((item) => { const old = items.get(item.id); return !old || !sameItem(old, item); }));
    if (selected !== null && !barOf(selected)) select(null);
    drawTable();
    drawBacklog();
    drawDetails();
  }

  // --- fetching ---

  let asked = 0;
  let shownOf = 0;
  let fetchedAt = Date.now();
  async function refresh() {
    const number = ++asked;
    fetchedAt = Date.now();
    let found;
    try {
      const answers = await Promise.all([told.dataUrl, told.backlogUrl, told.needsUrl].map((address) => fetch(address)));
      if (answers.some((answer) => answer.status === 403 || answer.redirected)) return window.location.reload();
      if (answers.some((answer) => !answer.ok)) throw new Error();
      found = await Promise.all(answers.map((answer) => answer.json()));
    } catch {
      find("cut").hidden = false;
      return undefined;
    }
    // What was asked for earlier may arrive later; the newer one stays. A bar in somebody's hand is not pulled away.
    if (number <= shownOf || isDragging) return undefined;
    shownOf = number;
    find("cut").hidden = true;
    data = { ...found[0], ...found[1] };
    needs = found[2].needs;
    // It may have been asked for before our own last change was answered: versions only rise.
    data.bars.forEach((bar) => {
      const ref = refOf(bar.id);
      if (bar.version < ref.version) Object.assign(bar, ref.now);
      else ref.version = bar.version;
    });
    find("too-many").hidden = !data.tooMany;
    find("too-many").textContent = data.tooMany;
    draw();
    board.dataset.drawn = String(number);
    return undefined;
  }

  // --- changes ---

  async function refusal(error, id) {
    await refresh();
    const bar = barOf(id);
    refuse(error.status === 409 && bar ? `${error.message} ${words.now} ${bar.words}` : error.message);
    return false;
  }

  async function move(id, to) {
    const bar = barOf(id);
    const ref = refOf(id);
    const at = (line, start, end) => () => act(ref, "move", { line, planned_start_at: start, planned_end_at: end });
    const there = at(to.line, to.start, to.end);
    const before = { ...bar };
    try {
      await there();
    } catch (error) {
      return refusal(error, id);
    }
    remember({ words: before.title, undo: at(before.line, before.start, before.end), redo: there });
    say(put(words.moved, `${before.title}, ${lineName(to.line)}, ${shown(to.start)}`));
    return true;
  }

  async function confirmBar(bar) {
    const ref = refOf(bar.id);
    const redo = () => act(ref, "confirm");
    const undo = async () => answered(ref, await ask(`${ENTRIES}${ref.id}/`, { status: "planned", seen_version: ref.version }, "PATCH"));
    try {
      await redo();
    } catch (error) {
      return refusal(error, bar.id);
    }
    remember({ words: bar.title, undo, redo });
    say(put(words.confirmedDone, bar.title));
    return refresh();
  }

  const bodyOf = (bar) => ({
    line: bar.line, work_order: bar.order, kind: bar.kind, note: bar.note, planned_start_at: bar.start, planned_end_at: bar.end, status: bar.stored,
    ...(bar.operationId ? { operation: bar.operationId } : {}), ...(bar.quantity ? { planned_quantity: bar.quantity } : {}),
  });

  async function takeOut(bar) {
    const [ref, body] = [refOf(bar.id), bodyOf(bar)];
    const redo = () => act(ref, "cancel");
    try {
      await redo();
    } catch (error) {
      return refusal(error, bar.id);
    }
    remember({ words: bar.title, undo: () => place(body, ref), redo });
    select(null);
    say(put(words.taken, bar.title));
    return refresh();
  }

  async function swap(bar, step) {
    const row = data.bars.filter((one) => one.line === bar.line).sort((one, other) => one.start.localeCompare(other.start));
    const other = row[row.findIndex((one) => one.id === bar.id) + step];
    if (!other) return undefined;
    const [ref, otherRef] = [refOf(bar.id), refOf(other.id)];
    // What lies between moves, too: what is seen of all of them is fetched after each swap.
    const redo = async () => { await act(ref, "swap", { other: otherRef.id }); await refresh(); };
    try {
      await redo();
    } catch (error) {
      return refusal(error, bar.id);
    }
    remember({ words: bar.title, undo: redo, redo });
    return say(put(words.moved, bar.title));
  }

  async function placeOrder(order, line, start) {
    const end = new Date(Number(new Date(start)) + order.lengths[line] * 1000).toISOString();
    const body = { line, work_order: order.id, kind: "production", planned_start_at: start, planned_end_at: end };
    let ref;
    try {
      ref = await place(body);
    } catch (error) {
      await refresh();
      refuse(error.message);
      return;
    }
    remember({ words: order.number, undo: () => act(ref, "cancel"), redo: () => place(body, ref) });
    chosen = null;
    await refresh();
    say(put(words.placed, `${order.number}, ${lineName(line)}, ${shown(start)}`));
    select(ref.id);
  }

  // --- the selected bar ---

  function select(id) {
    selected = id;
    timeline.setSelection(id === null ? [] : [id]);
    drawDetails(true);
  }

  function fact(name, ...value) {
    return element("div", "", element("dt", "", name), element("dd", "", ...value));
  }
  function need(name, answer) {
    const state = answer.isThere === null ? "unknown" : answer.isThere ? "there" : "missing";
    const sign = { there: "check-circle-fill", missing: "exclamation-triangle-fill", unknown: "question-circle" }[state];
    return element("span", `plan-need is-${state}`, icon(sign), ` ${words[name]} ${words[state]}`);
  }
  const needsOf = (bar) => Object.entries(needs[bar.id] || {});

  function drawDetails(anew = false) {
    const panel = find("details");
    const bar = barOf(selected);
    panel.hidden = !bar;
    if (!bar) return;
    find("bar-title").replaceChildren(bar.address ? Object.assign(element("a", "", bar.title), { href: bar.address }) : bar.title);
    find("bar-facts").replaceChildren(
      ...[
        bar.product && fact(told.names.product, bar.product),
        bar.operation && fact(told.names.operation, bar.operation),
        bar.note && bar.note !== bar.title && fact(told.names.note, bar.note),
        bar.made && fact(told.names.quantity, bar.made),
        fact(told.names.status, words[bar.status] || bar.status),
        bar.shift && fact(told.names.shift, `${bar.shift}${bar.sequence ? ` · ${told.names.number} ${bar.sequence}` : ""}`),
        (bar.isLate || bar.overdue) && fact(told.names.due, element("span", "warn", [bar.isLate ? words.delayed : "", bar.overdue].filter(Boolean).join(", "))),
        ...needsOf(bar).map(([name, answer]) => fact(words[name], need(name, answer), element("br"), answer.words)),
      ].filter(Boolean),
    );
    const form = find("move");
    // What somebody is typing is not taken out of their hands by a change elsewhere.
    if (!form || (!anew && form.contains(document.activeElement) && form.dataset.of === String(bar.id))) return;
    form.dataset.of = bar.id;
    fillLines(form.elements.line, data.lines, bar.line);
    form.elements.start.value = asWall(bar.start);
    form.elements.end.value = asWall(bar.end);
    form.querySelector("[data-act=confirm]").hidden = bar.stored === "confirmed";
  }
  function fillLines(list, lines, at) {
    list.replaceChildren(...lines.map((line) => Object.assign(element("option", "", line.name), { value: line.id, selected: line.id === at })));
  }

  // --- the table, and the orders without a place ---

  function drawTable() {
    const focused = document.activeElement?.dataset?.selects;
    const rows = data.bars.map((bar) => {
      const button = Object.assign(element("button", "button quiet", words.select), { type: "button" });
      button.dataset.selects = bar.id;
      button.setAttribute("aria-label", `${words.select}: ${bar.words}`);
      const wanting = needsOf(bar).filter(([, answer]) => answer.isThere !== true);
      const status = element("td", "", element("span", "lot-status", words[bar.status] || bar.status));
      if (bar.isLate || bar.overdue) status.append(" ", element("span", "warn", bar.overdue || words.delayed));
      return element("tr", "", element("td", "", button), element("td", "", lineName(bar.line)), element("td", "figure", String(bar.sequence ?? "–")),
        element("td", "", bar.title, " ", element("span", "note", [bar.product, bar.made].filter(Boolean).join(" · "))),
        element("td", "moment", shown(bar.start)), element("td", "moment", shown(bar.end)), status,
        element("td", "", ...(wanting.length ? wanting.map(([name, answer]) => need(name, answer)) : needsOf(bar).length ? [element("span", "plan-need is-there", icon("check-circle-fill"), ` ${words.there}`)] : ["–"])));
    });
    if (!rows.length) rows.push(element("tr", "", Object.assign(element("td", "empty", words.noBars), { colSpan: 8 })));
    find("bars").replaceChildren(...rows);
    if (focused) find("bars").querySelector(`[data-selects="${focused}"]`)?.focus({ preventScroll: true });
  }

  let chosen = null;
  const ticked = new Set();
  const waitingOf = (id) => data.backlog.find((order) => order.id === id);

  function drawBacklog() {
    const focused = document.activeElement?.dataset?.chooses;
    const rows = data.backlog.map((order) => {
      const row = element("li", order.id === chosen ? "is-chosen" : "");
      const about = [
        order.product, order.quantity, order.due ? put(words.due, order.due) : words.noDue,
        order.priority ? put(words.priority, order.priority) : "", order.isOneBar ? "" : words.severalLines,
      ].filter(Boolean).join(" · ");
      const text = element("div", "plan-waiting", element("b", "", order.number), element("span", "note", about));
      if (order.isOverdue) text.append(element("span", "warn", icon("exclamation-triangle-fill"), ` ${words.overdue}`));
      if (mayPlan) {
        const tick = Object.assign(document.createElement("input"), { type: "checkbox", checked: ticked.has(order.id) });
        tick.dataset.ticks = order.id;
        tick.setAttribute("aria-label", `${order.number}: ${words.suggested}`);
        row.append(element("label", "plan-tick", tick));
      }
      row.append(text);
      if (mayPlan && order.isOneBar) {
        row.draggable = true;
        row.dataset.order = order.id;
        const button = Object.assign(element("button", "button quiet", words.choose), { type: "button" });
        button.dataset.chooses = order.id;
        button.setAttribute("aria-label", `${words.choose}: ${order.number}`);
        row.append(button);
      }
      return row;
    });
    find("backlog-count").textContent = `(${data.backlog.length})`;
    find("backlog").replaceChildren(...(rows.length ? rows : [element("li", "empty", words.noBacklog)]));
    if (focused) find("backlog").querySelector(`[data-chooses="${focused}"]`)?.focus({ preventScroll: true });
    drawPlaceForm();
  }
  function drawPlaceForm(anew = false) {
    const form = find("place");
    if (!form) return;
    const order = waitingOf(chosen);
    form.hidden = !order;
    if (!order) return;
    find("place-title").textContent = order.number;
    if (anew) fillLines(form.elements.line, data.lines, order.line);
    const line = form.elements.line.value;
    const isKnown = order.known.includes(Number(line));
    find("place-length").textContent = isKnown ? put(words.takes, lengthWords(order.lengths[line])) : words.noLength;
  }

  // --- what people do ---

  board.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.selects) {
      select(Number(button.dataset.selects));
      find("details").focus();
      timeline.focus(selected, { animation: false, zoom: false });
    } else if (button.dataset.chooses) {
      chosen = Number(button.dataset.chooses);
      drawBacklog();
      drawPlaceForm(true);
      find("place").elements.line.focus();
    } else if (button.dataset.zoom) {
      if (Number(button.dataset.zoom) > 0) timeline.zoomIn(Number(button.dataset.zoom));
      else timeline.zoomOut(-Number(button.dataset.zoom));
    } else if (button.dataset.act) {
      const bar = barOf(selected);
      ({ confirm: confirmBar, cancel: takeOut, earlier: (one) => swap(one, -1), later: (one) => swap(one, 1) })[button.dataset.act](bar);
    } else if (button.matches("[data-undo]")) again(done, undone, "undo", words.undone);
    else if (button.matches("[data-redo]")) again(undone, done, "redo", words.redone);
    else if (button.matches("[data-to-now]")) timeline.moveTo(new Date(), { animation: false });
    else if (button.matches("[data-accept]")) accept();
    else if (button.matches("[data-discard]")) suggest([]);
  });
  board.addEventListener("change", (event) => {
    if (event.target.dataset.ticks) ticked[event.target.checked ? "add" : "delete"](Number(event.target.dataset.ticks));
    if (event.target.form?.matches("[data-place]")) drawPlaceForm();
  });
  document.addEventListener("keydown", (event) => {
    if (!mayPlan || !(event.ctrlKey || event.metaKey) || event.target.matches("input, select, textarea")) return;
    const isRedo = event.key === "y" || (event.key.toLowerCase() === "z" && event.shiftKey);
    if (!isRedo && event.key !== "z") return;
    event.preventDefault();
    (isRedo ? find("redo") : find("undo")).click();
  });
  timeline.on("select", ({ items: picked }) => select(picked.length && typeof picked[0] === "number" ? picked[0] : null));

  if (mayPlan) {
    find("move").addEventListener("submit", async (event) => {
      event.preventDefault();
      const fields = event.target.elements;
      const to = { line: Number(fields.line.value), start: asMoment(fields.start.value), end: asMoment(fields.end.value) };
      if (await move(selected, to)) await refresh();
    });
    find("place").addEventListener("submit", (event) => {
      event.preventDefault();
      const fields = event.target.elements;
      placeOrder(waitingOf(chosen), Number(fields.line.value), asMoment(fields.start.value));
    });
    find("backlog").addEventListener("dragstart", (event) => {
      const row = event.target.closest("[data-order]");
      if (row) event.dataTransfer.setData("text/plain", row.dataset.order);
    });
    const chart = find("chart-of-plan");
    chart.addEventListener("dragover", (event) => event.preventDefault());
    // Before vis-timeline's own idea of a drop.
    chart.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const order = waitingOf(Number(event.dataTransfer.getData("text/plain")));
      const { group, snappedTime } = timeline.getEventProperties(event);
      if (order && group != null && snappedTime) placeOrder(order, group, new Date(snappedTime).toISOString());
    }, true);
    find("suggest").addEventListener("submit", async (event) => {
      event.preventDefault();
      const fields = event.target.elements;
      const orders = data.backlog.map((order) => order.id).filter((id) => !ticked.size || ticked.has(id));
      if (!orders.length) return refuse(words.nothing);
      try {
        const answer = await ask("/scheduling/suggest/", {
          orders, start: asMoment(fields.start.value), direction: fields.how.value === "backward" ? "backward" : "forward",
          less_setup: fields.how.value === "setup", ...(fields.anywhere.checked ? { lines: data.lines.map((line) => line.id) } : {}),
        });
        suggest(answer.entries, answer.refused);
      } catch (error) {
        refuse(error.message);
      }
      return undefined;
    });
  }

  // --- suggestions ---

  function suggest(entries, without = []) {
    ghosts = entries;
    const panel = find("suggestion");
    panel.hidden = !entries.length && !without.length;
    find("accept").hidden = !entries.length;
    find("suggested").replaceChildren(
      ...entries.map((entry) => {
        const why = element("td", "", entry.why);
        entry.warnings.forEach((warning) => why.append(element("br"), element("span", "warn", icon("exclamation-triangle-fill"), ` ${warning}`)));
        return element("tr", "", element("td", "", entry.order_number), element("td", "", lineName(entry.line)), element("td", "moment", shown(entry.planned_start_at)), element("td", "moment", shown(entry.planned_end_at)), why);
      }),
      ...without.map((order) => element("tr", "", element("td", "", order.order_number), Object.assign(element("td", "warn", words.refused), { colSpan: 3 }), element("td", "", order.why))),
    );
    draw();
    if (!panel.hidden) { panel.focus(); panel.scrollIntoView({ block: "nearest" }); }
  }

  async function accept() {
    const taken = ghosts.map(({ work_order, operation, line, planned_start_at, planned_end_at, planned_quantity }) => ({ work_order, operation, line, planned_start_at, planned_end_at, planned_quantity }));
    let refs;
    const redo = async () => {
      const placed = await ask("/scheduling/accept/", { entries: taken });
      await refresh();
      refs = placed.map((entry) => refOf(entry.id));
    };
    try {
      await redo();
    } catch (error) {
      return refuse(error.message);
    }
    const undo = async () => { for (const ref of refs) await act(ref, "cancel"); };
    remember({ words: taken.length > 1 ? `${taken.length} ×` : ghosts[0].order_number, undo, redo });
    ticked.clear();
    suggest([]);
    return say(words.accepted);
  }

  // --- what others do ---

  let heardAt = Date.now();
  let pause = 500;
  let socket = null;
  let gathering = null;
  function connect() {
    socket = new WebSocket(`${window.location.protocol === "https:" ? "wss:" : "ws:"}//${window.location.host}${told.socket}`);
    socket.onopen = () => { heardAt = Date.now(); pause = 500; refresh(); };
    socket.onmessage = (event) => {
      heardAt = Date.now();
      if (JSON.parse(event.data).type === "beat" || gathering) return;
      gathering = setTimeout(() => { gathering = null; refresh(); }, 150);
    };
    socket.onclose = (event) => {
      find("cut").hidden = false;
      if (event.code === 4401 || event.code === 4404) return window.location.reload();
      setTimeout(connect, pause + Math.random() * 250);
      pause = Math.min(pause * 2, 10000);
      return undefined;
    };
  }
  setInterval(() => {
    if (Date.now() - heardAt > SILENCE_MS && socket.readyState === WebSocket.OPEN) socket.close();
    if (Date.now() - fetchedAt > REFETCH_MS) refresh();
  }, 1000);
  refresh().then(connect);
})();
