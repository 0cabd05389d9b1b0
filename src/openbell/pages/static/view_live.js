// A live run by its status and its journal as they grow; it goes on through a lost connection and after the end.
"use strict";

(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = function (name) { return document.getElementById(name); };
  const MOST = 500;
  let state = data.state, last = null;

  function money(value, signed) {
    const text = value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return signed && value > 0 ? "+" + text : text;
  }
  function price(value) { return value === null ? "" : value.toLocaleString("en-US", { maximumSignificantDigits: 8 }); }
  function clock(text) { return text ? text.slice(11, 19) : ""; }

  function row(cells) {
    const tr = document.createElement("tr");
    for (const cell of cells) {
      const td = document.createElement("td");
      td.textContent = cell.text === undefined ? String(cell) : cell.text;
      if (cell.look) td.className = cell.look;
      tr.append(td);
    }
    return tr;
  }
  function fill(name, rows, nothing) {
    byId(name).replaceChildren(...(rows.length ? rows : [row([{ text: nothing, look: "faint" }])]));
  }
  const number = function (text, look) { return { text: text, look: "number " + (look || "") }; };

  function tile(label, value, words, look) {
    const box = document.createElement("div"), head = document.createElement("span"), b = document.createElement("b"), below = document.createElement("span");
    box.className = "tile";
    head.className = "label";
    head.textContent = label;
    b.textContent = value;
    if (look) b.className = look;
    below.className = "faint";
    below.textContent = words;
    box.append(head, b, below);
    return box;
  }

  function heard(s) {
    if (!s.feed.heard) return "";
    const age = Math.max(0, Math.round((Date.parse(s.now) - Date.parse(s.feed.heard)) / 1000));
    return "heard " + (age < 120 ? age + " s" : age < 7200 ? Math.round(age / 60) + " min" : Math.round(age / 3600) + " h") + " ago";
  }

  function draw(s) {
    last = s;
    const feed = s.feed, counts = s.counts || {}, account = s.account;
    const all = Object.values(counts).reduce(function (a, b) { return a + b; }, 0);
    byId("clock").textContent = s.clock ? s.date + " " + clock(s.clock) : "";
    if (s.clock && s.opens && s.closes)
      byId("done").value = Math.min(1, Math.max(0, (Date.parse(s.clock) - Date.parse(s.opens)) / (Date.parse(s.closes) - Date.parse(s.opens))));
    if (s.date) byId("session").href = data.address + "/session/" + s.date;
    const good = feed.health === "LIVE";
    const tiles = [
      tile("Feed " + feed.name, feed.health, [heard(s), good ? "" : feed.reason].filter(Boolean).join(", "), good ? "gain" : "loss"),
      tile("Bars per minute", (feed.bars_per_minute || 0).toLocaleString("en-US"), "came within the last minute"),
      tile("Lag", feed.lag_s.toFixed(1) + " s", feed.waiting ? feed.waiting + " bar times wait" : "lost " + feed.losses + " times", feed.waiting ? "loss" : ""),
      tile("Symbols ready", (counts.ready || 0) + " of " + all, Object.entries(counts).filter(function (c) { return c[0] !== "ready" && c[1]; }).map(function (c) { return c[1] + " " + c[0]; }).join(", ")),
      tile("Bars again or late", String(Object.values(s.bars || {}).reduce(function (a, b) { return a + b; }, 0)), Object.entries(s.bars || {}).filter(function (c) { return c[1]; }).map(function (c) { return c[1] + " " + c[0]; }).join(", ")),
    ];
    if (s.broker) {
      const broker = s.broker, wrong = broker.refusal || (broker.is_connected ? "" : broker.trouble || "no order events arrive");
      const flight = broker.under_way ? broker.under_way + (broker.under_way === 1 ? " order" : " orders") + " under way" : "";
      const kind = broker.is_paper ? "paper money" : "LIVE MONEY";
      tiles.push(tile("Broker", wrong ? "orders refused" : kind, [wrong, broker.account, flight].filter(Boolean).join("; "), wrong ? "loss" : ""));
    }
    if (account) tiles.push(
      tile("Equity", money(account.equity), "cash " + money(account.cash)),
      tile("Today", money(account.day_pnl, true), "since the session began", account.day_pnl > 0 ? "gain" : account.day_pnl < 0 ? "loss" : ""),
      tile("Realized", money(account.realized, true), "in this run, before fees"),
    );
    if (s.next_scan) tiles.push(tile("Next scan", clock(s.next_scan.time), s.next_scan.scanner));
    byId("tiles").replaceChildren(...tiles);
    byId("money").hidden = !account;
    if (account) {
      fill("positions", account.positions.map(function (p) {
        return row([p.symbol, number(p.quantity.toLocaleString("en-US")), number(price(p.average_price)), number(price(p.last_price)), number(money(p.unrealized, true), p.unrealized > 0 ? "gain" : "loss")]);
      }), "no position");
      fill("orders", account.orders.map(function (o) { return row([o.id, o.symbol, number(o.quantity.toLocaleString("en-US")), o.type, o.prices, o.status]); }), "no open order");
    }
    fill("symbols", s.symbols.map(function (one) {
      return row([one.symbol, { text: one.state, look: "state " + one.state }, number(price(one.last_price)), clock(one.last_bar), one.missing]);
    }), "no symbol yet");
    byId("events").replaceChildren(...s.happened.slice().reverse().map(function (e) {
      const line = document.createElement("p"), when = document.createElement("time"), kind = document.createElement("span"), text = document.createElement("span");
      when.textContent = clock(e.time);
      kind.className = "kind " + e.kind;
      kind.textContent = e.kind;
      text.textContent = e.text;
      line.append(when, kind, text);
      return line;
    }));
    symbols(s);
    told();
  }

  // The chart shows a symbol that has bars, unless another was chosen.
  function symbols(s) {
    window.openbell.live.open(s.opens ? Date.parse(s.opens) / 1000 : 0);
    const names = s.symbols.map(function (one) { return one.symbol; });
    byId("of-run").replaceChildren(...names.map(function (name) {
      const option = document.createElement("option");
      option.value = name;
      return option;
    }));
    const with_bars = s.symbols.find(function (one) { return one.last_bar; });
    if (!byId("symbol").value && with_bars) window.openbell.live.follow(with_bars.symbol);
  }

  function told() {
    const now = state === "killed" || !last ? state : last.state;
    byId("state").textContent = now || "waiting for its first status";
    byId("stop").hidden = !["connecting", "preparing", "running"].includes(now);
  }

  function journal(records) {
    const body = byId("journal");
    for (const r of records)
      body.prepend(row([r.time, r.operation, r.symbols, r.owner, { text: r.text, look: r.refused ? "text bad" : "text" }]));
    while (body.rows.length > MOST) body.lastElementChild.remove();
  }

  const source = new EventSource(data.events);
  source.addEventListener("status", function (event) { draw(JSON.parse(event.data)); });
  source.addEventListener("journal", function (event) { journal(JSON.parse(event.data)); });
  source.addEventListener("state", function (event) { state = JSON.parse(event.data).state; told(); });
  source.addEventListener("open", function () { byId("connection").textContent = ""; });
  source.addEventListener("error", function () { byId("connection").textContent = "The server does not answer; this page tries again."; });
  addEventListener("pagehide", function () { source.close(); });

  const ask = byId("ask");
  byId("stop").addEventListener("click", function () { ask.showModal(); });
  byId("ask-no").addEventListener("click", function () { ask.close(); });
})();
