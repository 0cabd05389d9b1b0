// Equity, and candles with what was traded on them, drawn with lightweight-charts.
"use strict";

(function () {
  const L = LightweightCharts;
  const data = JSON.parse(document.getElementById("data").textContent);
  const equityPlace = document.getElementById("equity-chart");
  const candlePlace = document.getElementById("candle-chart");
  const choice = document.getElementById("window");
  const LINES = ["#4f86d9", "#c98a1b", "#9a63c9", "#2f9c95", "#c9578f", "#7d8f2b"];
  const shown = { charts: [], candles: null, window: null, trade: null, rows: 0, fill: null };

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function format(options) {
    try {
      return new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, ...options });
    } catch {
      return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
    }
  }

  const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const day = format({ day: "numeric", month: "short" });
  const month = format({ month: "short", year: "numeric" });
  const whole = format({ day: "numeric", month: "short", year: "numeric" });
  const days = {
    day: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" }),
    month: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "short", year: "numeric" }),
    whole: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" }),
  };

  function moment(time, daily) {
    const date = new Date(time * 1000);
    return daily ? days.whole.format(date) : whole.format(date) + " " + clock.format(date);
  }

  function tick(daily) {
    return function (time, kind) {
      const date = new Date(time * 1000);
      if (kind <= 1) return (daily ? days.month : month).format(date);
      if (kind === 2) return (daily ? days.day : day).format(date);
      return (kind === 4 ? seconds : clock).format(date);
    };
  }

  function make(place, daily) {
    const chart = L.createChart(place, {
      autoSize: true,
      layout: {
        background: { type: "solid", color: colour("paper") }, textColor: colour("faint"), attributionLogo: false,
        fontFamily: "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
        panes: { separatorColor: colour("line"), enableResize: true },
      },
      grid: { vertLines: { color: colour("line") }, horzLines: { color: colour("line") } },
      crosshair: { mode: 0 },
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
      rightPriceScale: { borderColor: colour("line") },
      timeScale: { borderColor: colour("line"), timeVisible: !daily, tickMarkFormatter: tick(daily), minBarSpacing: 0.05 },
      localization: { timeFormatter: function (time) { return moment(time, daily); } },
    });
    shown.charts.push({ place: place, chart: chart });
    return chart;
  }

  function money(value) {
    return value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  }

  function write(place, parts) {
    place.replaceChildren(...parts.map(function (part) {
      const span = document.createElement("span");
      span.textContent = part.text;
      if (part.colour) span.style.color = part.colour;
      return span;
    }));
  }

  // Equity

  function drawEquity() {
    const equity = data.equity;
    const chart = make(equityPlace, false);
    const line = chart.addSeries(L.BaselineSeries, {
      baseValue: { type: "price", price: equity.start }, lineWidth: 2, priceLineVisible: false,
      topLineColor: colour("up"), topFillColor1: colour("up") + "55", topFillColor2: colour("up") + "08",
      bottomLineColor: colour("down"), bottomFillColor1: colour("down") + "08", bottomFillColor2: colour("down") + "55",
      priceFormat: { type: "custom", formatter: money, minMove: 0.01 },
    });
    const fall = chart.addSeries(L.AreaSeries, {
      lineColor: colour("down"), topColor: colour("down") + "11", bottomColor: colour("down") + "44", invertFilledArea: true,
      lineWidth: 1, priceLineVisible: false,
      priceFormat: { type: "custom", formatter: function (value) { return value.toFixed(2) + " %"; }, minMove: 0.01 },
    }, 1);
    line.setData(equity.time.map(function (t, i) { return { time: t, value: equity.equity[i] }; }));
    fall.setData(equity.time.map(function (t, i) { return { time: t, value: equity.drawdown[i] }; }));
    chart.panes()[0].setStretchFactor(3);
    chart.timeScale().fitContent();
    const legend = document.getElementById("equity-legend");
    function tell(i) {
      write(legend, [
        { text: moment(equity.time[i], false) }, { text: "equity " + money(equity.equity[i]) },
        { text: "drawdown " + equity.drawdown[i].toFixed(2) + " %" },
      ]);
    }
    tell(equity.time.length - 1);
    chart.subscribeCrosshairMove(function (at) {
      const i = at.logical === undefined ? equity.time.length - 1 : Math.round(at.logical);
      if (i >= 0 && i < equity.time.length) tell(i);
    });
  }

  // Trades, stops and targets over the candles, as one primitive

  function overlay(w, chart, series) {
    const scale = chart.timeScale();
    function segment(context, from, to, y1, y2, color, dashes, width, room) {
      const x1 = scale.logicalToCoordinate(from) - room, x2 = scale.logicalToCoordinate(to) + room;
      const a = series.priceToCoordinate(y1), b = series.priceToCoordinate(y2);
      if (a === null || b === null) return;
      context.beginPath();
      context.strokeStyle = color;
      context.lineWidth = width;
      context.setLineDash(dashes);
      context.moveTo(x1, a);
      context.lineTo(Math.max(x2, x1 + 1), b);
      context.stroke();
    }
    const renderer = {
      draw: function (target) {
        target.useMediaCoordinateSpace(function (scope) {
          const context = scope.context;
          // Only whole rows have a coordinate.
          const half = (scale.logicalToCoordinate(1) - scale.logicalToCoordinate(0)) / 2;
          context.save();
          function upright(row, color, dashes, width) {
            const x = scale.logicalToCoordinate(row) - half;
            context.beginPath();
            context.strokeStyle = color;
            context.lineWidth = width;
            context.setLineDash(dashes);
            context.moveTo(x, 0);
            context.lineTo(x, scope.mediaSize.height);
            context.stroke();
          }
          for (const row of w.starts) upright(row, colour("faint") + "88", [2, 4], 1);
          for (const gap of w.gaps || []) if (gap.row < shown.rows) upright(gap.row, colour("doubt"), [1, 3], 1.5);
          for (const l of w.levels) if (l.from < shown.rows) segment(context, l.from, Math.min(l.to, shown.rows - 1), l.price, l.price, colour(l.kind), [5, 4], 1.5, half);
          for (const t of w.trades) {
            if (t.to >= shown.rows) continue;
            const wide = shown.trade === t.number ? 3.5 : 2;
            segment(context, t.from, t.to, t.entry, t.exit, colour(t.won ? "up" : "down"), [], wide, 0);
          }
          context.restore();
        });
      },
    };
    const view = { renderer: function () { return renderer; }, zOrder: function () { return "top"; } };
    return {
      paneViews: function () { return [view]; },
      updateAllViews: function () {},
      autoscaleInfo: function (first, last) {
        const prices = [];
        for (const l of w.levels) if (l.from <= last && l.to >= first && l.from < shown.rows) prices.push(l.price);
        for (const t of w.trades) if (t.from <= last && t.to >= first && t.to < shown.rows) prices.push(t.entry, t.exit);
        return prices.length ? { priceRange: { minValue: Math.min(...prices), maxValue: Math.max(...prices) } } : null;
      },
    };
  }

  function prepared(w) {
    if (w.ready) return w;
    let time = 0;
    w.time = w.time.map(function (step) { time += step; return time; });
    w.starts = w.daily ? [] : w.time.map(function (t, i) { return i; }).filter(function (i) {
      return i > 0 && whole.format(new Date(w.time[i] * 1000)) !== whole.format(new Date(w.time[i - 1] * 1000));
    });
    if (w.starts.length > 20) w.starts = [];
    w.marksAt = new Map();
    for (const mark of w.marks) w.marksAt.set(mark.row, (w.marksAt.get(mark.row) || []).concat(mark));
    w.ready = true;
    return w;
  }

  function drawCandles(w) {
    const chart = make(candlePlace, w.daily);
    const digits = w.decimals, filled = new Set(w.synthetic);
    const series = chart.addSeries(L.CandlestickSeries, {
      upColor: colour("up"), downColor: colour("down"), wickUpColor: colour("up"), wickDownColor: colour("down"), borderVisible: false,
      priceLineVisible: false, priceFormat: { type: "price", precision: digits, minMove: Math.pow(10, -digits) },
    });
    const bars = w.time.map(function (t, i) {
      const bar = { time: t, open: w.open[i], high: w.high[i], low: w.low[i], close: w.close[i] };
      return filled.has(i) ? { ...bar, color: colour("faint"), wickColor: colour("faint") } : bar;
    });
    const volume = chart.addSeries(L.HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    const rising = colour("up") + "44", falling = colour("down") + "44";
    const volumes = w.time.map(function (t, i) { return { time: t, value: w.volume[i], color: w.close[i] >= w.open[i] ? rising : falling }; });
    const panes = new Map();
    const lines = w.lines.map(function (line, number) {
      const key = line.name.split(".")[0];
      if (!line.over && !panes.has(key)) panes.set(key, panes.size + 1);
      line.colour = LINES[number % LINES.length];
      const drawn = chart.addSeries(L.LineSeries, {
        color: line.colour, lineWidth: 1, priceLineVisible: false, lastValueVisible: !line.over, crosshairMarkerVisible: false,
        lineType: key.endsWith("_" + w.interval) ? 0 : 1,
        priceFormat: { type: "price", precision: line.decimals, minMove: Math.pow(10, -line.decimals) },
      }, line.over ? 0 : panes.get(key));
      return { drawn: drawn, points: w.time.map(function (t, i) { return line.values[i] === null ? { time: t } : { time: t, value: line.values[i] }; }) };
    });
    chart.panes().forEach(function (pane, i) { pane.setStretchFactor(i ? 1 : 3.5); });
    series.attachPrimitive(overlay(w, chart, series));
    const few = w.marks.length <= 12 && candlePlace.clientWidth > 700;
    const marks = w.marks.map(function (mark) {
      const up = mark.kind === "buy";
      return {
        time: w.time[mark.row], position: mark.kind === "sell" ? "aboveBar" : "belowBar", text: few ? mark.text : "",
        shape: mark.kind === "signal" ? "circle" : up ? "arrowUp" : "arrowDown",
        color: mark.kind === "signal" ? colour("accent") : colour(up ? "up" : "down"),
      };
    });
    const markers = L.createSeriesMarkers(series, []);
    // The first rows of all, as somebody saw them who knew nothing of later. Times of rows to come stay, so that nothing moves.
    shown.fill = function (rows) {
      const whole = rows >= w.time.length;
      shown.rows = rows;
      const cut = function (points) { return whole ? points : points.slice(0, rows).concat(points.slice(rows).map(function (p) { return { time: p.time }; })); };
      series.setData(cut(bars));
      volume.setData(cut(volumes));
      for (const line of lines) line.drawn.setData(cut(line.points));
      markers.setMarkers(whole ? marks : marks.filter(function (m, n) { return w.marks[n].row < rows; }));
    };
    shown.fill(Math.min(w.upTo === undefined ? w.time.length : w.upTo, w.time.length));
    legendOf(w, chart);
    shown.candles = chart;
    shown.window = w;
    candlePlace.setAttribute("aria-label", "Candles of " + w.symbol + ", " + w.interval + ", " + w.time.length + " bars, " +
      w.marks.length + " marks, " + w.trades.length + " trades");
    all();
  }

  function legendOf(w, chart) {
    const legend = document.getElementById("candle-legend");
    function tell(i) {
      const digits = function (value, count) {
        return value.toLocaleString("en-US", { minimumFractionDigits: Math.min(count, 12), maximumFractionDigits: Math.min(count, 12) });
      };
      const parts = [
        { text: w.symbol + " " + w.interval }, { text: moment(w.time[i], w.daily) }, { text: "O " + digits(w.open[i], w.decimals) },
        { text: "H " + digits(w.high[i], w.decimals) }, { text: "L " + digits(w.low[i], w.decimals) }, { text: "C " + digits(w.close[i], w.decimals) },
        { text: "V " + w.volume[i].toLocaleString("en-US") },
      ];
      const gap = (w.gaps || []).find(function (g) { return g.row === i; });
      if (gap) parts.push({ text: gap.missing + (gap.missing === 1 ? " bar is" : " bars are") + " missing before it", colour: colour("doubt") });
      for (const line of w.lines)
        parts.push({ text: line.name + " " + (line.values[i] === null ? "–" : digits(line.values[i], line.decimals)), swatch: line.colour });
      for (const mark of w.marksAt.get(i) || [])
        parts.push({ text: (mark.kind === "sell" ? "▼ " : "▲ ") + mark.text + (mark.tag ? " (" + mark.tag + ")" : ""), colour: colour(mark.kind === "sell" ? "loss" : "gain") });
      write(legend, parts);
      parts.forEach(function (part, n) {
        if (!part.swatch) return;
        const dot = document.createElement("i");
        dot.textContent = "■ ";
        dot.style.color = part.swatch;
        legend.children[n].prepend(dot);
      });
    }
    shown.tell = function () { if (shown.rows > 0) tell(Math.min(shown.rows, w.time.length) - 1); };
    shown.tell();
    chart.subscribeCrosshairMove(function (at) {
      const i = at.logical === undefined ? shown.rows - 1 : Math.round(at.logical);
      if (i >= 0 && i < shown.rows) tell(i);
    });
  }

  // Moving about

  function all() {
    const bars = shown.window.time.length;
    shown.candles.timeScale().setVisibleLogicalRange({ from: -bars * 0.015, to: bars * 1.015 });
  }

  function move(share, zoom) {
    const scale = shown.candles.timeScale(), range = scale.getVisibleLogicalRange(), bars = shown.window.time.length;
    const width = Math.min(Math.max((range.to - range.from) * zoom, 5), bars);
    const middle = (range.from + range.to) / 2 + (range.to - range.from) * share;
    const from = Math.min(Math.max(middle - width / 2, -0.5), bars - 0.5 - width);
    scale.setVisibleLogicalRange({ from: from, to: from + width });
  }

  function show(number, trade) {
    for (const one of shown.charts.filter(function (c) { return c.place === candlePlace; })) one.chart.remove();
    shown.charts = shown.charts.filter(function (c) { return c.place !== candlePlace; });
    shown.trade = trade === undefined ? null : trade;
    if (choice) choice.value = String(number);
    const w = prepared(data.windows[number]);
    drawCandles(w);
    const found = w.trades.find(function (t) { return t.number === shown.trade; });
    if (found) {
      const room = Math.max(20, (found.to - found.from) * 0.4);
      shown.candles.timeScale().setVisibleLogicalRange({ from: found.from - room, to: found.to + room });
    }
  }

  function draw() {
    for (const one of shown.charts) one.chart.remove();
    shown.charts = [];
    if (equityPlace && data.equity) drawEquity();
    if (candlePlace && data.windows.length) show(choice ? Number(choice.value || 0) : 0, shown.trade === null ? undefined : shown.trade);
  }

  if (candlePlace) {
    if (choice) choice.addEventListener("change", function () { show(Number(choice.value)); });
    const moves = {
      previous: function () { show((Number(choice.value) + data.windows.length - 1) % data.windows.length); },
      next: function () { show((Number(choice.value) + 1) % data.windows.length); },
      earlier: function () { move(-0.4, 1); }, later: function () { move(0.4, 1); },
      in: function () { move(0, 0.6); }, out: function () { move(0, 1 / 0.6); }, all: all,
    };
    for (const button of document.querySelectorAll("[data-chart]"))
      button.addEventListener("click", moves[button.dataset.chart]);
    for (const button of document.querySelectorAll(".show"))
      button.addEventListener("click", function () {
        show(Number(button.dataset.window), Number(button.dataset.trade));
        document.getElementById("candles").scrollIntoView({ behavior: "auto" });
        choice.focus({ preventScroll: true });
      });
  }
  document.addEventListener("themechange", draw);
  draw();
  // For pages that ask for one chart after the other.
  window.openbell = {
    make: make, colour: colour, moment: moment, write: write, shown: shown, lineColours: LINES, clock: clock, day: day,
    drawWindow: function (w, trade) {
      data.windows = [w];
      show(0, trade);
    },
    upTo: function (rows) {
      const scale = shown.candles.timeScale(), range = scale.getVisibleLogicalRange();
      data.windows[0].upTo = rows;
      shown.fill(rows);
      scale.setVisibleLogicalRange(range);
      shown.tell();
    },
  };

  // Printed: a picture of each chart in light colours

  let before;
  addEventListener("beforeprint", function () {
    const root = document.documentElement;
    before = root.dataset.theme;
    root.dataset.theme = "light";
    draw();
    for (const one of shown.charts) {
      const picture = document.createElement("img");
      picture.src = one.chart.takeScreenshot().toDataURL();
      picture.alt = "";
      one.place.append(picture);
    }
  });
  addEventListener("afterprint", function () {
    for (const picture of document.querySelectorAll(".chart img")) picture.remove();
    if (before === undefined) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = before;
    draw();
  });
})();
