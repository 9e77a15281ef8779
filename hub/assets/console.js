// Puts finished rows into the list as they come in, opens a sighting beside it, and shows local time. All HTML comes from
// the hub, which escapes it; nothing here builds HTML out of data.
"use strict";

const ROWS_MAX = 200;
const AGENTS_EVERY_MS = 10_000;

const rows = document.getElementById("rows");
const panel = document.getElementById("panel");
const live = document.getElementById("live");

function localTimes(root) {
  const pad = (number) => String(number).padStart(2, "0");
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    if (Number.isNaN(time.getTime())) continue;
    const date = `${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
    element.textContent = `${date} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
    element.title = time.toLocaleString();
  }
}

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  localTimes(template.content);
  return template.content;
}

// The language link keeps what is shown.
for (const link of document.querySelectorAll("a[data-lang]")) {
  const address = new URL(location.href);
  address.searchParams.set("lang", new URL(link.href).searchParams.get("lang"));
  link.href = address.href;
}
localTimes(document);

// A sighting beside the list.

let opened = null;

async function open(link) {
  const answer = await fetch(link.dataset.panel, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) {
    location.href = link.href;
    return;
  }
  panel.replaceChildren(fragment(await answer.text()));
  panel.hidden = false;
  panel.parentElement.classList.add("open");
  choose(link);
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}

function choose(link) {
  opened?.closest(".row")?.classList.remove("chosen");
  opened = link;
  link?.closest(".row")?.classList.add("chosen");
}

function close() {
  if (panel.hidden) return;
  panel.hidden = true;
  panel.replaceChildren();
  panel.parentElement.classList.remove("open");
  const link = opened;
  choose(null);
  link?.focus();
}

if (rows && panel) {
  rows.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    if (getSelection()?.toString()) return;
    const link = event.target.closest(".row")?.querySelector("a[data-panel]");
    if (!link) return;
    event.preventDefault();
    open(link);
  });
  panel.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { j: 1, k: -1 }[event.key];
    if (!step) return;
    const links = [...rows.querySelectorAll("a[data-panel]")];
    const at = links.indexOf(opened ?? document.activeElement);
    const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
    if (!next) return;
    event.preventDefault();
    next.scrollIntoView({ block: "nearest" });
    if (panel.hidden) next.focus();
    else open(next);
  });
}

// Live.

function follow() {
  const word = document.getElementById("live-word");
  const button = document.getElementById("live-button");
  let after = live.dataset.after;
  let source = null;

  const show = (state, text) => {
    live.classList.toggle("on", state === "on");
    live.classList.toggle("lost", state === "lost");
    if (word.textContent !== text) word.textContent = text;
    button.textContent = state === "off" ? live.dataset.resume : live.dataset.pause;
  };
  const start = () => {
    const address = new URL(live.dataset.src, location.href);
    address.searchParams.set("after", after);
    source = new EventSource(address);
    source.addEventListener("open", () => show("on", live.dataset.on));
    source.addEventListener("error", () => {
      show("lost", live.dataset.lost);
      // A refused stream isn't tried again by the browser.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (source) { source.close(); start(); } }, 5000);
    });
    source.addEventListener("row", (event) => {
      after = event.lastEventId || after;
      insert(event.data);
    });
  };
  const stop = () => {
    source.close();
    source = null;
    show("off", live.dataset.off);
  };
  button.addEventListener("click", () => (source ? stop() : start()));
  live.hidden = false;
  show("on", live.dataset.on);
  start();
}

function insert(html) {
  const content = fragment(html);
  const row = content.querySelector("tr");
  if (!row || document.getElementById(row.id)) return;
  row.classList.add("fresh");
  rows.prepend(content);
  document.getElementById("none").hidden = true;
  while (rows.rows.length > ROWS_MAX) rows.rows[rows.rows.length - 1].remove();
}

if (live && rows) follow();

// Agents.

const agents = document.getElementById("agents");
if (agents) {
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(agents.dataset.src).catch(() => null);
    if (answer?.ok) agents.replaceChildren(fragment(await answer.text()));
  }, AGENTS_EVERY_MS);
}
