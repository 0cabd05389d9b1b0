// Candles of a live run as they come, the last of which is the one that still grows.
"use strict";

(function () {
  const L = LightweightCharts, ob = window.openbell;
  const byId = function (name) { return document.getElementById(name); };
  const place = byId("live-chart"), legend = byId("live-legend"), form = byId("pick");
  const bars = new Map();
  let source = null, step = 0, finest = "", opens = 0, chart = null, series = null, volume = null, last = null;

  function wanted() { return Math.max(Number(form.interval.value), step); }

  // Candles begin with the session, as those of the run do.
  function begin(time) { return opens + Math.floor((time - opens) / wanted()) * wanted(); }

  function joined(candle, time, bar) {
    if (candle === null || begin(time) !== candle.time)
      return { time: begin(time), open: bar[0], high: bar[1], low: bar[2], close: bar[3], value: bar[4], bars: 1 };
    return {
      time: candle.time, open: candle.open, high: Math.max(candle.high, bar[1]), low: Math.min(candle.low, bar[2]), close: bar[3],
      value: candle.value + bar[4], bars: candle.bars + 1,
    };
  }

  function candles() {
    const found = [];
    for (const time of Array.from(bars.keys()).sort(function (a, b) { return a - b; })) {
      const before = found.length ? found[found.length - 1] : null, now = joined(before, time, bars.get(time));
      if (before !== null && before.time === now.time) found.pop();
      found.push(now);
    }
    return found;
  }

  function volumeOf(candle) {
    return { time: candle.time, value: candle.value, color: ob.colour(candle.close >= candle.open ? "up" : "down") + "44" };
  }

  function draw() {
    ob.remove(place);
    chart = ob.make(place, false);
    series = chart.addSeries(L.CandlestickSeries, { upColor: ob.colour("up"), downColor: ob.colour("down"), wickUpColor: ob.colour("up"), wickDownColor: ob.colour("down"), borderVisible: false });
    volume = chart.addSeries(L.HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    fill();
  }

  function fill() {
    const all = step ? candles() : [], typical = all.length ? all[0].close : 100, digits = typical >= 10 ? 2 : typical >= 0.1 ? 4 : 8;
    series.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: Math.pow(10, -digits) } });
    series.setData(all);
    volume.setData(all.map(volumeOf));
    last = all.length ? all[all.length - 1] : null;
    tell();
  }

  // Text: the candle that grows, and how much of it has come.
  function tell() {
    const symbol = form.symbol.value;
    if (last === null) return ob.write(legend, [{ text: symbol ? "no bar of " + symbol + " yet" : "no bar yet" }]);
    const price = function (v) { return v.toLocaleString("en-US", { maximumSignificantDigits: 8, minimumFractionDigits: 2 }); };
    const of = wanted() / step, ends = ob.clock.format(new Date((last.time + wanted()) * 1000));
    const parts = [
      { text: symbol + " " + (wanted() === step ? finest : form.interval.selectedOptions[0].textContent) }, { text: ob.clock.format(new Date(last.time * 1000)) + " to " + ends },
      { text: "O " + price(last.open) }, { text: "H " + price(last.high) }, { text: "L " + price(last.low) }, { text: "C " + price(last.close) },
      { text: "V " + last.value.toLocaleString("en-US") },
    ];
    if (of > 1) parts.push({ text: last.bars + " of " + of + " bars of " + finest });
    ob.write(legend, parts);
  }

  function take(news) {
    if (news.session) bars.clear();
    if (news.step && news.step !== step) bars.clear();
    step = news.step || step;
    finest = news.interval || finest;
    // A bar that came late, or was corrected, changes candles that are drawn already.
    let again = Boolean(news.session) || last === null;
    for (const [time, ...bar] of news.bars) {
      again = again || bars.has(time) || begin(time) < last.time;
      bars.set(time, bar);
      if (again) continue;
      last = joined(last, time, bar);
      series.update(last);
      volume.update(volumeOf(last));
    }
    if (again) fill();
    tell();
    place.setAttribute("aria-label", "Candles of " + form.symbol.value + " in this session, of " + bars.size + " bars");
  }

  function follow(symbol) {
    form.symbol.value = symbol;
    history.replaceState(null, "", "?" + new URLSearchParams({ symbol: symbol }));
    if (source) source.close();
    bars.clear();
    step = 0;
    fill();
    source = new EventSource(ob.data.bars + "?" + new URLSearchParams({ symbol: symbol }));
    source.addEventListener("bars", function (event) { take(JSON.parse(event.data)); });
  }

  form.addEventListener("submit", function (event) { event.preventDefault(); follow(form.symbol.value); });
  form.symbol.addEventListener("change", function () { follow(form.symbol.value); });
  form.interval.addEventListener("change", fill);
  addEventListener("pagehide", function () { if (source) source.close(); });
  ob.drawers.push(draw);
  draw();
  const chosen = new URLSearchParams(location.search).get("symbol");
  if (chosen) follow(chosen);
  ob.live = {
    follow: follow,
    open: function (time) {
      if (time === opens) return;
      opens = time;
      fill();
    },
  };
})();
