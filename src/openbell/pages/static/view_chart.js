// A chart that is asked for by rows: at first the last ones, others when they come into sight.
"use strict";

(function () {
  const ob = window.openbell, candles = ob.candles;
  const NONE = -2147483648, ROOM = 4000;

  function number(value) { return value === NONE ? NaN : value; }

  // An answer: the length of a head as JSON, the head, and the columns of some rows behind it.
  function read(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const count = head.after - head.first;
    let at = 4 + length;
    for (const column of head.columns) {
      const values = column.bytes === 8 ? new Float64Array(buffer, at, count) : new Int32Array(buffer, at, count);
      const scale = Math.pow(10, column.decimals);
      column.values = column.bytes === 8 ? values : Float64Array.from(values, function (v) { return number(v) / scale; });
      at += Math.ceil(count * column.bytes / 8) * 8;
    }
    return head;
  }

  function take(w, part) {
    for (const column of part.columns) w.columns.get(column.name).set(column.values, part.first);
    w.first = Math.min(w.first, part.first);
  }

  function windowOf(head) {
    const w = { ...head, columns: new Map(), first: head.rows, from: head.first, before: null };
    for (const column of head.columns) w.columns.set(column.name, new Float64Array(head.rows));
    take(w, head);
    for (const name of ["time", "end", "open", "high", "low", "close", "volume"]) w[name] = w.columns.get(name);
    w.lines.forEach(function (line, n) { line.values = w.columns.get("line" + n); });
    if (head.before.length) {
      w.before = new Map();
      for (const old of head.before) {
        if (old.bar) old.bar.lines = old.bar.lines.map(function (v) { return v === null ? NaN : v; });
        w.before.set(old.row, (w.before.get(old.row) || []).concat(old));
      }
    }
    return candles.ready(w);
  }

  async function answer(address) {
    const got = await fetch(address);
    if (got.headers.get("content-type") === "application/octet-stream") return read(await got.arrayBuffer());
    return got.json();
  }

  // Rows around those in sight are in the chart, and no others: a chart of some thousand rows scrolls smoothly.
  function follow(w, address) {
    let busy = false;
    async function look() {
      if (busy || candles.shown.window !== w) return;
      const range = candles.visible(), width = range.to - range.from, near = width / 2;
      if ((w.from === 0 || range.from > w.from + near) && (w.after === w.rows || range.to < w.after - near)) return;
      const room = Math.max(ROOM, width), from = Math.max(0, Math.floor(range.from - room)), after = Math.min(w.rows, Math.ceil(range.to + room));
      busy = true;
      try {
        if (from < w.first) {
          const part = await answer(address + "?" + new URLSearchParams({ chart: w.chart, first: from, after: w.first }));
          if (part.error) return;
          take(w, part);
        }
        if (candles.shown.window !== w) return;
        const seen = candles.visible();
        w.from = from;
        w.after = Math.max(after, from + 1);
        candles.shown.fill();
        candles.look(seen.from, seen.to);
      } finally {
        busy = false;
      }
      look();
    }
    w.drawn = function (chart) { chart.timeScale().subscribeVisibleLogicalRangeChange(look); };
  }

  ob.chart = {
    // Ask for a chart. What is returned has an error, or is a window.
    ask: async function (address, query) {
      try {
        const head = await answer(address + "?" + query);
        return head.error ? head : windowOf(head);
      } catch {
        return { error: "The server does not answer: is openbell view still running?" };
      }
    },
    show: function (w, trade, address) {
      follow(w, address);
      candles.show(w, trade);
    },
  };
})();
