// Candles with what was traded on them, up to a moment, of rows that a page has or asks for.
"use strict";

(function () {
  const place = document.getElementById("candle-chart");
  if (!place) return;
  const L = LightweightCharts, ob = window.openbell;
  const choice = document.getElementById("window"), legend = document.getElementById("candle-legend");
  const PRICES = ["open", "high", "low", "close", "volume"];
  const MOST_AT_FIRST = 1600;
  // What is drawn: the window; how many of its rows are closed at the moment, and the moment; the trade that stands out.
  const shown = { chart: null, window: null, rows: 0, moment: Infinity, trade: null, fill: null, tell: null };

  // A window has its columns by rows of all its bars. Those from w.from on and before w.after are in the chart.

  function prepared(w) {
    if (w.ready) return w;
    let time = 0;
    w.time = w.time.map(function (step) { time += step; return time; });
    w.rows = w.after = w.time.length;
    w.from = 0;
    for (const line of w.lines) line.values = line.values.map(function (v) { return v === null ? NaN : v; });
    return ready(w);
  }

  function ready(w) {
    w.marksAt = new Map();
    for (const mark of w.marks) w.marksAt.set(mark.row, (w.marksAt.get(mark.row) || []).concat(mark));
    w.filled = new Set(w.synthetic);
    w.gapAt = new Map((w.gaps || []).map(function (gap) { return [gap.row, gap.missing]; }));
    w.lines.forEach(function (line, n) { line.colour = ob.lineColours[n % ob.lineColours.length]; });
    w.ready = true;
    return w;
  }

  // A bar as it was seen at the moment: null if it had not come, and with the values of then if it was corrected later.
  function seen(w, row) {
    if (row >= shown.rows) return null;
    let found = w;
    for (const old of (w.before && w.before.get(row)) || []) if (shown.moment < old.until) { found = old; break; }
    if (found === w) {
      const bar = { lines: w.lines.map(function (line) { return line.values[row]; }) };
      for (const name of PRICES) bar[name] = w[name][row];
      return bar;
    }
    return found.bar;
  }

  function overlay(w, chart, series, paint) {
    const scale = chart.timeScale();
    function x(row) { return scale.logicalToCoordinate(row - w.from); }
    function stroke(context, x1, y1, x2, y2, color, dashes, width) {
      context.beginPath();
      context.strokeStyle = color;
      context.lineWidth = width;
      context.setLineDash(dashes);
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
    }
    function draw(context, height) {
      // Only whole rows have a coordinate.
      const half = (scale.logicalToCoordinate(1) - scale.logicalToCoordinate(0)) / 2;
      const range = scale.getVisibleLogicalRange(), first = w.from + range.from - 1, last = w.from + range.to + 1;
      function upright(row, color, dashes, width) {
        if (row >= first && row <= last) stroke(context, x(row) - half, 0, x(row) - half, height, color, dashes, width);
      }
      function segment(from, to, y1, y2, color, dashes, width, room) {
        const x1 = x(from) - room, x2 = x(to) + room, a = series.priceToCoordinate(y1), b = series.priceToCoordinate(y2);
        if (to >= first && from <= last && a !== null && b !== null) stroke(context, x1, a, Math.max(x2, x1 + 1), b, color, dashes, width);
      }
      for (const row of w.starts) upright(row, paint.faint + "88", [2, 4], 1);
      for (const gap of w.gaps || []) if (gap.row < shown.rows) upright(gap.row, paint.doubt, [1, 3], 1.5);
      for (const l of w.levels) if (l.from < shown.rows) segment(l.from, Math.min(l.to, shown.rows - 1), l.price, l.price, paint[l.kind], [5, 4], 1.5, half);
      for (const t of w.trades)
        if (t.to < shown.rows) segment(t.from, t.to, t.entry, t.exit, t.won ? paint.up : paint.down, [], shown.trade === t.number ? 3.5 : 2, 0);
    }
    const renderer = {
      draw: function (target) {
        target.useMediaCoordinateSpace(function (scope) {
          scope.context.save();
          draw(scope.context, scope.mediaSize.height);
          scope.context.restore();
        });
      },
    };
    const view = { renderer: function () { return renderer; }, zOrder: function () { return "top"; } };
    return {
      paneViews: function () { return [view]; },
      updateAllViews: function () {},
      autoscaleInfo: function (first, last) {
        const prices = [], a = first + w.from, b = last + w.from;
        for (const l of w.levels) if (l.from <= b && l.to >= a && l.from < shown.rows) prices.push(l.price);
        for (const t of w.trades) if (t.from <= b && t.to >= a && t.to < shown.rows) prices.push(t.entry, t.exit);
        return prices.length ? { priceRange: { minValue: Math.min(...prices), maxValue: Math.max(...prices) } } : null;
      },
    };
  }

  function priceForm(digits) { return { type: "price", precision: digits, minMove: Math.pow(10, -digits) }; }

  function linesOf(w, chart) {
    const panes = new Map();
    return w.lines.map(function (line) {
      const key = line.name.split(".")[0];
      if (!line.over && !panes.has(key)) panes.set(key, panes.size + 1);
      return chart.addSeries(L.LineSeries, {
        color: line.colour, lineWidth: 1, priceLineVisible: false, lastValueVisible: !line.over, crosshairMarkerVisible: false,
        lineType: key.endsWith("_" + w.interval) ? 0 : 1, priceFormat: priceForm(line.decimals),
      }, line.over ? 0 : panes.get(key));
    });
  }

  function drawCandles(w) {
    ob.remove(place);
    const chart = ob.make(place, w.daily);
    const paint = {};
    for (const name of ["up", "down", "faint", "doubt", "stop", "limit", "accent"]) paint[name] = ob.colour(name);
    const series = chart.addSeries(L.CandlestickSeries, {
      upColor: paint.up, downColor: paint.down, wickUpColor: paint.up, wickDownColor: paint.down, borderVisible: false,
      priceLineVisible: false, priceFormat: priceForm(w.decimals),
    });
    const volume = chart.addSeries(L.HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    const lines = linesOf(w, chart);
    chart.panes().forEach(function (pane, i) { pane.setStretchFactor(i ? 1 : 3.5); });
    series.attachPrimitive(overlay(w, chart, series, paint));
    const markers = L.createSeriesMarkers(series, []);
    // Times of rows to come stay, so that nothing moves.
    shown.fill = function () {
      const bars = [], volumes = [], values = lines.map(function () { return []; });
      for (let row = w.from; row < w.after; row++) {
        const time = w.time[row], bar = seen(w, row);
        if (bar === null) {
          bars.push({ time: time });
          volumes.push({ time: time });
          for (const points of values) points.push({ time: time });
          continue;
        }
        const candle = { time: time, open: bar.open, high: bar.high, low: bar.low, close: bar.close };
        if (w.filled.has(row)) candle.color = candle.wickColor = paint.faint;
        bars.push(candle);
        volumes.push(!Number.isFinite(bar.volume) ? { time: time } : { time: time, value: bar.volume, color: (bar.close >= bar.open ? paint.up : paint.down) + "44" });
        for (let n = 0; n < values.length; n++) values[n].push(!Number.isFinite(bar.lines[n]) ? { time: time } : { time: time, value: bar.lines[n] });
      }
      series.setData(bars);
      volume.setData(volumes);
      lines.forEach(function (line, n) { line.setData(values[n]); });
      markers.setMarkers(marksOf(w, paint));
    };
    shown.window = w;
    shown.chart = chart;
    shown.rows = w.upTo === undefined ? w.rows : Math.min(w.upTo, w.rows);
    shown.fill();
    legendOf(w, chart);
    place.setAttribute("aria-label", "Candles of " + w.symbol + ", " + w.interval + ", " + w.rows + " bars, " + w.marks.length + " marks, " + w.trades.length + " trades");
    if (w.drawn) w.drawn(chart);
  }

  function marksOf(w, paint) {
    const few = w.marks.length <= 12 && place.clientWidth > 700;
    return w.marks.filter(function (m) { return m.row < Math.min(shown.rows, w.after) && m.row >= w.from; }).map(function (mark) {
      const up = mark.kind === "buy";
      return {
        time: w.time[mark.row], position: mark.kind === "sell" ? "aboveBar" : "belowBar", text: few ? mark.text : "",
        shape: mark.kind === "signal" ? "circle" : up ? "arrowUp" : "arrowDown",
        color: mark.kind === "signal" ? paint.accent : up ? paint.up : paint.down,
      };
    });
  }

  function legendOf(w, chart) {
    function digits(value, count) {
      return value.toLocaleString("en-US", { minimumFractionDigits: Math.min(count, 12), maximumFractionDigits: Math.min(count, 12) });
    }
    // Bars and indicators lead to the addition that brought them.
    function brought(what) { return w.asker ? w.asker(what) : null; }
    function tell(i) {
      const bar = seen(w, i), parts = [{ text: w.symbol + " " + w.interval, address: brought(w.interval) }, { text: ob.moment(w.time[i], w.daily) }];
      if (bar === null) parts.push({ text: "not there yet", colour: ob.colour("doubt") });
      else {
        for (const name of PRICES.slice(0, 4)) parts.push({ text: name[0].toUpperCase() + " " + digits(bar[name], w.decimals) });
        parts.push({ text: "V " + (Number.isFinite(bar.volume) ? bar.volume.toLocaleString("en-US") : "–") });
      }
      const missing = w.gapAt.get(i);
      if (missing) parts.push({ text: missing + (missing === 1 ? " bar is" : " bars are") + " missing before it", colour: ob.colour("doubt") });
      const old = ((w.before && w.before.get(i)) || []).filter(function (one) { return one.own && shown.moment >= one.until; });
      if (bar !== null && old.length)
        parts.push({ text: (old[0].bar === null ? "came late, after " : "corrected after ") + ob.clock.format(new Date((old[old.length - 1].until - 1) * 1000)), colour: ob.colour("doubt") });
      w.lines.forEach(function (line, n) {
        const value = bar === null ? NaN : bar.lines[n];
        parts.push({ text: line.name + " " + (!Number.isFinite(value) ? "–" : digits(value, line.decimals)), swatch: line.colour, address: brought(line.name.split(".")[0]) });
      });
      for (const mark of w.marksAt.get(i) || [])
        parts.push({ text: (mark.kind === "sell" ? "▼ " : "▲ ") + mark.text + (mark.tag ? " (" + mark.tag + ")" : ""), colour: ob.colour(mark.kind === "sell" ? "loss" : "gain") });
      ob.write(legend, parts);
    }
    shown.tell = function () { if (shown.rows > 0) tell(Math.min(shown.rows, w.rows) - 1); };
    shown.tell();
    chart.subscribeCrosshairMove(function (at) {
      const i = at.logical === undefined ? shown.rows - 1 : Math.round(at.logical) + w.from;
      if (i >= w.from && i < Math.min(shown.rows, w.after)) tell(i);
    });
  }

  // Moving about, by rows of the window

  function visible() {
    const range = shown.chart.timeScale().getVisibleLogicalRange();
    return { from: range.from + shown.window.from, to: range.to + shown.window.from };
  }

  function look(from, to) {
    shown.chart.timeScale().setVisibleLogicalRange({ from: from - shown.window.from, to: to - shown.window.from });
  }

  function all() {
    const rows = shown.window.rows;
    look(-rows * 0.015, rows * 1.015);
  }

  function move(share, zoom) {
    const range = visible(), rows = shown.window.rows;
    const width = Math.min(Math.max((range.to - range.from) * zoom, 5), rows);
    const middle = (range.from + range.to) / 2 + (range.to - range.from) * share;
    const from = Math.min(Math.max(middle - width / 2, -0.5), rows - 0.5 - width);
    look(from, from + width);
  }

  // Draw a window, around a trade if it has one of that number.
  function show(w, trade) {
    shown.trade = trade === undefined ? null : trade;
    drawCandles(w);
    const found = w.trades.find(function (t) { return t.number === shown.trade; });
    const room = found ? Math.max(20, (found.to - found.from) * 0.4) : 0;
    if (found) look(found.from - room, found.to + room);
    else if (w.rows > MOST_AT_FIRST) look(w.rows - MOST_AT_FIRST, w.rows * 1.001);
    else all();
  }

  function again() {
    if (shown.window === null) return;
    const range = visible();
    drawCandles(shown.window);
    look(range.from, range.to);
  }

  function choose(number, trade) {
    if (choice) choice.value = String(number);
    show(prepared(ob.data.windows[number]), trade);
  }

  const moves = {
    previous: function () { choose((Number(choice.value) + ob.data.windows.length - 1) % ob.data.windows.length); },
    next: function () { choose((Number(choice.value) + 1) % ob.data.windows.length); },
    earlier: function () { move(-0.4, 1); }, later: function () { move(0.4, 1); },
    in: function () { move(0, 0.6); }, out: function () { move(0, 1 / 0.6); }, all: all,
  };
  if (choice) choice.addEventListener("change", function () { choose(Number(choice.value)); });
  for (const button of document.querySelectorAll("[data-chart]"))
    button.addEventListener("click", function () { if (shown.window !== null) moves[button.dataset.chart](); });
  for (const button of document.querySelectorAll(".show"))
    button.addEventListener("click", function () {
      choose(Number(button.dataset.window), Number(button.dataset.trade));
      document.getElementById("candles").scrollIntoView({ behavior: "auto" });
      choice.focus({ preventScroll: true });
    });
  ob.drawers.push(again);
  // For pages that ask for one chart after the other, and for the rows that come into sight.
  ob.candles = {
    shown: shown, ready: ready, show: show, visible: visible, look: look,
    refill: function () {
      const range = visible();
      shown.fill();
      look(range.from, range.to);
    },
    upTo: function (rows, moment) {
      shown.window.upTo = rows;
      shown.rows = rows;
      shown.moment = moment;
      ob.candles.refill();
      shown.tell();
    },
  };
  if (ob.data.windows.length) choose(choice ? Number(choice.value || 0) : 0);
})();
