"use strict";
// The page of the sandbox: two boards and a live journal over the control API.

const el = (tag, props = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key === "data") Object.assign(node.dataset, value);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
};
const byId = (id) => document.getElementById(id);
const state = { pipeline: null, project: null, amo: "", lp: "", offset: 0, lastSeq: 0 };

async function call(method, path, body) {
  const response = await fetch("/_sandbox/" + path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let json = null;
  try { json = text ? JSON.parse(text) : null; } catch { /* shown as text below */ }
  if (!response.ok) throw new Error(reason(json) || text || "Ошибка " + response.status);
  return json;
}

function reason(json) {
  if (!json) return "";
  const faults = (json["validation-errors"] || []).flatMap((item) => item.errors.map((e) => e.path + ": " + e.code));
  if (faults.length) return faults.join(", ");
  if (Array.isArray(json.errors) && json.errors.length) return json.errors.map((e) => e.message).join(", ");
  return json.error || json.detail || "";
}

async function act(work) {
  try {
    await work();
    byId("error").hidden = true;
  } catch (error) {
    byId("error").textContent = error.message;
    byId("error").hidden = false;
  }
  await refresh();
}

// A list that a person has open must not be rebuilt under the hand.
const busy = (root) => root.contains(document.activeElement) && document.activeElement.tagName === "SELECT";

function fill(select, items, chosen) {
  if (document.activeElement === select) return;
  select.replaceChildren(...items.map((i) => el("option", { value: i.id, textContent: i.name, selected: i.id === chosen })));
}

function column(id, name, tint, count, cards, drop) {
  const node = el("div", { className: "column", data: { column: id } },
    el("header", {}, el("span", { textContent: name }), el("span", { textContent: count })),
    ...(cards.length ? cards : [el("div", { className: "none", textContent: "Пусто" })]));
  if (tint) node.style.setProperty("--tint", tint);
  node.addEventListener("dragover", (e) => { e.preventDefault(); node.classList.add("over"); });
  node.addEventListener("dragleave", () => node.classList.remove("over"));
  node.addEventListener("drop", (e) => {
    e.preventDefault();
    node.classList.remove("over");
    drop(e.dataTransfer.getData("text/plain"));
  });
  return node;
}

function card(prefix, item, lines, choices, here, move, open) {
  const select = el("select", {
    "aria-label": "Переместить", data: { testid: `${prefix}-move-${item.id}` },
    onchange: (e) => { const to = Number(e.target.value); e.target.blur(); move(item.id, to); },
  }, ...choices.map((c) => el("option", { value: c.id, textContent: c.name, selected: c.id === here })));
  return el("article", {
    className: "deal", draggable: true, data: { testid: `${prefix}-card-${item.id}` },
    ondragstart: (e) => e.dataTransfer.setData("text/plain", `${prefix}:${item.id}`),
  }, el("button", { className: "title", type: "button", textContent: item.name || `№ ${item.id}`, onclick: open }), ...lines, select);
}

const dropped = (prefix, text, move) => {
  const [from, id] = text.split(":");
  if (from === prefix) move(Number(id));
};

const money = (n) => new Intl.NumberFormat("ru-RU").format(n) + " ₽";
const moment = (ms) => new Date(ms).toLocaleString("ru-RU");
const text = (className, value) => (value ? el("div", { className, textContent: value }) : null);

function showAmo(board) {
  byId("amo-domain").textContent = board.account.domain;
  fill(byId("amo-pipeline"), board.pipelines, board.pipeline_id);
  const root = byId("amo-columns");
  if (busy(root)) return;
  const print = JSON.stringify(board);
  if (print === state.amo) return;
  state.amo = print;
  // Incoming leads are accepted or declined, nobody moves a deal there.
  const columns = board.columns.filter((c) => !c.is_unsorted || c.count);
  const choices = columns.map((c) => ({ id: c.id, name: c.name }));
  const move = (id, status) => act(() => call("POST", "amocrm/ui/move", { id, status_id: status, pipeline_id: board.pipeline_id }));
  keepScroll(root, columns.map((c) => column(c.id, c.name, c.color, c.count, c.cards.map((item) => card(
    "amo", item,
    [text("who", [item.contact, item.phone].filter(Boolean).join(" · ")), item.price ? text("price", money(item.price)) : null],
    choices, c.id, move, () => openDeal(item.id),
  )), (dragged) => dropped("amo", dragged, (id) => move(id, c.id)))));
}

function showLp(board) {
  if (!board.project) return;
  byId("lp-name").textContent = board.project.name;
  fill(byId("lp-project"), board.projects, board.project.id);
  const root = byId("lp-columns");
  if (busy(root)) return;
  const print = JSON.stringify(board);
  if (print === state.lp) return;
  state.lp = print;
  state.lpBoard = board;
  const move = (id, step) => act(() => call("POST", "lptracker/ui/move", { lead_id: id, step_id: step }));
  keepScroll(root, board.steps.map((s) => column(s.id, s.name, s.robot ? "#f5a524" : "", s.leads.length, s.leads.map((item) => card(
    "lp", item,
    [text("who", [item.contact && item.contact.name, item.phone].filter(Boolean).join(" · ")),
      el("div", { className: "marks" }, `💬 ${item.comments_count}`, ` ☎ ${item.calls.length}`, item.call_ends_ms ? " идёт звонок" : "")],
    board.steps, s.id, move, () => openLead(item.id),
  )), (dragged) => dropped("lp", dragged, (id) => move(id, s.id)))));
}

function keepScroll(root, nodes) {
  const left = root.scrollLeft;
  const tops = new Map([...root.children].map((c) => [c.dataset.column, c.scrollTop]));
  root.replaceChildren(...nodes);
  root.scrollLeft = left;
  for (const child of root.children) child.scrollTop = tops.get(child.dataset.column) || 0;
}

const rows = (pairs) => el("table", {}, el("tbody", {}, ...pairs.filter(([, v]) => v).map(([k, v]) =>
  el("tr", {}, el("td", { textContent: k }), el("td", { textContent: v })))));
const part = (title, items, none) => [
  el("h3", { textContent: title }),
  items.length ? el("ul", {}, ...items) : el("div", { className: "none", textContent: none }),
];
const when = (v) => (Number(v) > 1e9 ? moment(Number(v) * 1000) : String(v || ""));
const line = (value, small) => el("li", {}, value, el("small", { textContent: small }));

function openCard(title, subtitle, ...parts) {
  const dialog = byId("card");
  const close = el("button", { type: "button", className: "quiet", textContent: "Закрыть", data: { testid: "card-close" }, onclick: () => dialog.close() });
  dialog.replaceChildren(
    el("div", { className: "card-head" }, el("div", {}, el("h2", { textContent: title }), el("div", { className: "hint", textContent: subtitle })), close),
    ...parts.flat());
  if (!dialog.open) dialog.showModal();
}

function small(testid, placeholder, button, submit) {
  const input = el("input", { placeholder, "aria-label": placeholder, required: true, data: { testid } });
  return el("form", { onsubmit: (e) => { e.preventDefault(); submit(input.value); } }, input,
    el("button", { textContent: button, data: { testid: testid + "-submit" } }));
}

async function openDeal(id) {
  const deal = await call("GET", `amocrm/card/${id}`);
  const again = (work) => act(async () => { await work(); await openDeal(id); });
  const fields = deal.fields.map((f) => [f.name, f.type.startsWith("date") ? moment(Number(f.value) * 1000) : f.value]);
  const people = deal.contacts.flatMap((c) => [["Контакт", c.name], ...c.fields.map((f) => [f.name, f.value])]);
  openCard(deal.name, `Сделка № ${id}`,
    rows([["Сумма", money(deal.price)], ["Ответственный", deal.responsible], ["Теги", deal.tags.join(", ")], ...people, ...fields]),
    small("card-rename", "Новое название сделки", "Переименовать", (name) => again(() =>
      call("POST", "amocrm/ui/edit", { entity: "leads", id, set: { name } }))),
    part("Примечания", deal.notes.map((n) => line(n.text, `${n.author} · ${moment(n.at * 1000)} · ${n.type}`)), "Примечаний нет"),
    small("card-note", "Текст примечания", "Добавить", (value) => again(() =>
      call("POST", "amocrm/ui/note", { entity: "leads", id, text: value }))),
    part("Задачи", deal.tasks.map((t) => line((t.is_completed ? "✓ " : "") + t.text, "до " + moment(t.till * 1000))), "Задач нет"),
    el("form", { onsubmit: (e) => { e.preventDefault(); byId("card").close(); act(() => call("POST", "amocrm/ui/delete", { entity: "leads", id })); } },
      el("button", { className: "quiet", textContent: "Удалить сделку", data: { testid: "card-delete" } })));
}

async function openLead(id) {
  const lead = await call("GET", `lptracker/lead?id=${id}`);
  const again = (work) => act(async () => { await work(); await openLead(id); });
  const steps = (state.lpBoard && state.lpBoard.steps) || [];
  const values = lead.custom.filter((f) => !["owner", "user"].includes(f.type) && !(f.value && f.value.type === "staff")).map((f) => {
    const step = steps.find((s) => f.name === "Шаг воронки" && String(s.id) === String(f.value));
    if (step) return [f.name, step.name];
    let value = Array.isArray(f.value) ? f.value.map((v) => (v && v.name) || v).join(", ") : f.value;
    if (value && typeof value === "object") value = value.name || JSON.stringify(value);
    return [f.name, value === null || value === undefined ? "" : String(value)];
  });
  const result = el("select", { "aria-label": "Итог звонка", data: { testid: "call-result" } },
    ...[["ANSWER", "Ответил"], ["NO ANSWER", "Не ответил"], ["BUSY", "Занято"]].map(([value, name]) => el("option", { value, textContent: name })));
  const step = el("select", { "aria-label": "Перевести на шаг", data: { testid: "call-step" } },
    el("option", { value: "", textContent: "Шаг не менять" }), ...steps.map((s) => el("option", { value: s.id, textContent: s.name })));
  const outcome = el("form", {
    onsubmit: (e) => {
      e.preventDefault();
      const body = { lead_id: id, disposition: result.value, duration: result.value === "ANSWER" ? 42 : 0, record: result.value === "ANSWER" };
      if (step.value) body.step_id = Number(step.value);
      again(() => call("POST", "lptracker/ui/call-outcome", body));
    },
  }, result, step, el("button", { textContent: "Записать звонок", data: { testid: "call-submit" } }));
  openCard(lead.name || `Лид № ${id}`, `Лид № ${id} · создан ${lead.created_at}`,
    rows([["Контакт", lead.contact && lead.contact.name], ["Телефон", lead.phone], ["Email", lead.email], ["Ответственный", lead.owner], ...values]),
    part("Комментарии", lead.comments.map((c) => line(c.text, when(c.created_at))), "Комментариев нет"),
    small("card-comment", "Текст комментария", "Добавить", (value) => again(() =>
      call("POST", "lptracker/ui/comment", { lead_id: id, text: value }))),
    part("Звонки", lead.calls.map((c) => line([c.type, c.disposition, c.duration ? c.duration + " с" : ""].filter(Boolean).join(" · "), when(c.time || c.date || c.created_at))), "Звонков нет"),
    outcome);
}

// The journal.
const clockOf = (ms) => new Date(ms).toLocaleTimeString("ru-RU");
function entryLine(entry) {
  const hook = entry.kind === "webhook";
  const status = entry.status === 0 ? "обрыв" : entry.status === null ? "…" : entry.status;
  const good = entry.status >= 200 && entry.status < 300;
  const body = decodeBody(entry.body);
  return el("details", { className: (entry.write ? "write " : "") + (hook ? "hook" : ""), data: { testid: `journal-${entry.seq}`, quiet: !entry.write && !hook } },
    el("summary", {},
      el("span", { className: "time", textContent: clockOf(entry.at_ms) }),
      el("span", { className: entry.side, textContent: entry.side === "amocrm" ? "amoCRM" : "LPTracker" }),
      el("span", { className: "method", textContent: hook ? "вебхук" : entry.method }),
      el("span", { className: "status " + (good ? "good" : "bad"), textContent: status }),
      el("span", { className: "path", textContent: entry.path + (entry.attempt > 1 ? ` (попытка ${entry.attempt})` : "") + (entry.fault ? " · сбой" : ""), title: entry.path })),
    body ? el("pre", { textContent: body }) : null,
    entry.answer ? el("pre", { textContent: entry.answer.slice(0, 4000) }) : null);
}
function decodeBody(body) {
  if (!body || !/^[\w%.\-+]+=/.test(body)) return body;
  return body.split("&").map((p) => { try { return decodeURIComponent(p.replaceAll("+", " ")); } catch { return p; } }).join("\n");
}
function addEntry(entry) {
  if (entry.seq <= state.lastSeq && document.querySelector(`[data-testid="journal-${entry.seq}"]`)) return;
  state.lastSeq = Math.max(state.lastSeq, entry.seq);
  const root = byId("journal");
  root.prepend(entryLine(entry));
  while (root.children.length > 300) root.lastChild.remove();
  filterJournal();
}
function filterJournal() {
  const only = byId("only-writes").checked;
  const all = [...byId("journal").children];
  for (const node of all) node.hidden = only && node.dataset.quiet === "true";
  byId("journal-empty").hidden = all.some((n) => !n.hidden);
}

async function refresh() {
  const [amo, lp] = await Promise.allSettled([
    call("GET", "amocrm/board" + (state.pipeline ? `?pipeline_id=${state.pipeline}` : "")),
    call("GET", "lptracker/board" + (state.project ? `?project_id=${state.project}` : "")),
  ]);
  if (amo.status === "fulfilled") showAmo(amo.value);
  if (lp.status === "fulfilled") showLp(lp.value);
}
let waiting = null;
function refreshSoon() {
  if (!waiting) waiting = setTimeout(() => { waiting = null; refresh(); }, 120);
}
async function syncClock() {
  const now = await call("GET", "clock");
  state.offset = now.now_ms - Date.now();
  state.frozen = now.frozen ? now.now_ms : null;
}

byId("amo-create").addEventListener("submit", (e) => {
  e.preventDefault();
  const form = e.target;
  const data = Object.fromEntries(new FormData(form));
  const price = Number(String(data.price).replace(/\s/g, ""));
  const body = { name: data.name, phone: data.phone, deal: data.deal };
  if (data.price && Number.isFinite(price)) body.price = price;
  if (state.pipeline) body.pipeline_id = state.pipeline;
  act(async () => { await call("POST", "amocrm/ui/create", body); form.reset(); });
});
byId("lp-create").addEventListener("submit", (e) => {
  e.preventDefault();
  const form = e.target;
  const body = Object.fromEntries(new FormData(form));
  body.name = body.contact_name;
  if (state.project) body.project_id = state.project;
  act(async () => { await call("POST", "lptracker/ui/create", body); form.reset(); });
});
byId("amo-pipeline").addEventListener("change", (e) => { state.pipeline = Number(e.target.value); e.target.blur(); refresh(); });
byId("lp-project").addEventListener("change", (e) => { state.project = Number(e.target.value); e.target.blur(); refresh(); });
byId("only-writes").addEventListener("change", filterJournal);
byId("journal-clear").addEventListener("click", () => act(async () => {
  await call("DELETE", "journal");
  byId("journal").replaceChildren();
  filterJournal();
}));
byId("reset").addEventListener("click", () => {
  if (!confirm("Вернуть обе CRM к начальным данным? Всё созданное здесь, вебхуки и журнал исчезнут.")) return;
  act(async () => {
    await call("POST", "reset", { demo: true });
    byId("journal").replaceChildren();
    await syncClock();
  });
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => act(async () => {
    await call("POST", "clock", { advance_s: Number(button.dataset.advance) });
    await syncClock();
  }));
}
setInterval(() => { byId("clock").textContent = moment(state.frozen ?? Date.now() + state.offset); }, 1000);
setInterval(refreshSoon, 3000);

(async () => {
  await syncClock().catch(() => {});
  await refresh();
  const past = await call("GET", "journal?limit=100").catch(() => ({ entries: [] }));
  past.entries.forEach(addEntry);
  filterJournal();
  const feed = new EventSource("/_sandbox/journal/stream");
  feed.onmessage = (event) => { addEntry(JSON.parse(event.data)); refreshSoon(); };
})();
