// A session: its chart, what happened, and a moment up to which both are shown.
"use strict";

(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const ob = window.openbell;
  const byId = function (name) { return document.getElementById(name); };
  const form = byId("pick"), problem = byId("chart-problem"), moment = byId("moment"), list = byId("events"), strip = byId("strip");
  const COLOURS = { added: "faint", removed: "faint", locked: "faint", refused: "bad", rejected: "bad", scan: "limit", signal: "accent", bought: "up", sold: "down" };
  const MOST = 400;
  let ends = [], timer = null, asked = 0;

  moment.min = data.first;
  moment.max = data.last;
  moment.step = data.step;
  moment.value = data.last;

  function now() { return Number(moment.value); }

  // The chart

  function rows(time) {
    let low = 0, high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async function load() {
    const number = ++asked;
    const query = new URLSearchParams(new FormData(form));
    query.set("day", data.day);
    const found = await ob.chart.ask(data.chart, query);
    if (number !== asked) return;
    problem.textContent = found.error || "";
    byId("candle-chart").hidden = Boolean(found.error);
    const why = new URL(data.why, location.href);
    why.searchParams.set("symbol", form.symbol.value);
    byId("why").href = why;
    if (found.error) {
      byId("candle-legend").replaceChildren();
      ends = [];
      return;
    }
    ends = found.end;
    found.upTo = now() < data.last ? rows(now()) : found.rows;
    found.asker = function (what) {
      const place = new URL(byId("why").href);
      place.searchParams.set("of", what);
      return place.href;
    };
    ob.candles.shown.moment = now() < data.last ? now() : Infinity;
    ob.chart.show(found, data.trade === null ? undefined : data.trade, data.chart);
  }

  // What happened

  function wanted() {
    const kinds = new Set(Array.from(byId("kinds").querySelectorAll("input:checked"), function (box) { return box.value; }));
    const word = byId("only").value.toLowerCase();
    return data.events.filter(function (e) { return e.t <= now() && kinds.has(e.kind) && (!word || e.text.toLowerCase().includes(word) || e.kind.includes(word)); });
  }

  function drawEvents() {
    const found = wanted(), last = found.slice(-MOST);
    list.replaceChildren(...last.map(function (e) {
      const row = document.createElement("button"), when = document.createElement("time"), kind = document.createElement("span"), text = document.createElement("span");
      row.type = "button";
      when.textContent = ob.clock.format(new Date(e.t * 1000));
      kind.className = "kind " + e.kind;
      kind.textContent = e.kind;
      text.textContent = e.text;
      row.append(when, kind, text);
      row.addEventListener("click", function () {
        if (e.of.length && !e.of.includes(form.symbol.value)) {
          form.symbol.value = e.of[0];
          load();
        }
        set(Math.max(e.t, data.first));
      });
      return row;
    }));
    for (const label of byId("kinds").querySelectorAll("label")) {
      const kind = label.querySelector("input").value;
      label.lastChild.textContent = " " + data.events.filter(function (e) { return e.kind === kind && e.t <= now(); }).length;
    }
    byId("events-count").textContent = found.length > MOST ? "the last " + MOST + " of " + found.length : String(found.length);
    list.scrollTop = list.scrollHeight;
  }

  function drawStrip() {
    const width = strip.clientWidth, ratio = devicePixelRatio || 1, span = Math.max(data.last - data.first, 1);
    strip.width = width * ratio;
    strip.height = 26 * ratio;
    const context = strip.getContext("2d");
    context.scale(ratio, ratio);
    for (const e of data.events) {
      context.fillStyle = ob.colour(COLOURS[e.kind] || "faint");
      context.globalAlpha = e.t <= now() ? 0.9 : 0.15;
      context.fillRect((Math.min(Math.max(e.t, data.first), data.last) - data.first) / span * (width - 2), e.kind === "scan" ? 0 : 7, 2, e.kind === "scan" ? 26 : 19);
    }
    context.globalAlpha = 1;
    context.fillStyle = ob.colour("ink");
    context.fillRect((now() - data.first) / span * (width - 2), 0, 1, 26);
  }

  // The moment

  function set(time) {
    moment.value = Math.min(Math.max(time, data.first), data.last);
    byId("moment-text").textContent = ob.clock.format(new Date(now() * 1000));
    moment.setAttribute("aria-valuetext", byId("moment-text").textContent);
    if (ends.length) ob.candles.upTo(now() < data.last ? rows(now()) : ends.length, now() < data.last ? now() : Infinity);
    drawEvents();
    drawStrip();
  }

  function step(count) { set(now() + count * data.step); }

  function stop() {
    clearInterval(timer);
    timer = null;
    byId("play").textContent = "▶";
    byId("play").setAttribute("aria-label", "play");
  }

  byId("play").addEventListener("click", function () {
    if (timer) return stop();
    if (now() >= data.last) set(data.first);
    byId("play").textContent = "❚❚";
    byId("play").setAttribute("aria-label", "pause");
    timer = setInterval(function () {
      step(1);
      if (now() >= data.last) stop();
    }, 120);
  });
  byId("back").addEventListener("click", function () { step(-1); });
  byId("forth").addEventListener("click", function () { step(1); });
  byId("whole").addEventListener("click", function () { stop(); set(data.last); });
  moment.addEventListener("input", function () { set(now()); });
  strip.addEventListener("click", function (event) {
    set(data.first + Math.round(event.offsetX / strip.clientWidth * (data.last - data.first) / data.step) * data.step);
  });
  document.addEventListener("keydown", function (event) {
    if (event.target.closest("input, select, textarea, button") || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 };
    if (event.key in keys) step(keys[event.key]);
    else if (event.key === "Home") set(data.first);
    else if (event.key === "End") set(data.last);
    else if (event.key === " ") byId("play").click();
    else return;
    event.preventDefault();
  });

  form.addEventListener("change", load);
  form.addEventListener("submit", function (event) { event.preventDefault(); load(); });
  byId("kinds").addEventListener("change", drawEvents);
  byId("only").addEventListener("input", drawEvents);
  document.addEventListener("themechange", drawStrip);
  addEventListener("resize", drawStrip);

  // While the session is played again

  async function follow() {
    const answer = await fetch(data.playing);
    const found = await answer.json();
    if (found.state === "playing") setTimeout(follow, 500);
    else location.replace(location.href);
  }
  if (data.playing) follow();

  load();
  set(data.last);
})();
