// node run.mjs FOLDER JOB OUT: run a Pine text through the pinets of FOLDER, write its plots.
//
// JOB is JSON: candles (ascending, openTime and closeTime in ms), minutes a candle, text, inputs by
// title. Longer timeframes that the text asks for are made of the candles, days in UTC.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [folder, jobFile, out] = process.argv.slice(2);
const { Indicator, PineTS } = createRequire(path.join(folder, "package.json"))("pinets");
const job = JSON.parse(readFileSync(jobFile, "utf8"));

function opening(time, timeframe) {
  const date = new Date(time);
  if (/M$/.test(timeframe)) return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  const day = 86_400_000;
  if (/W$/.test(timeframe)) return time - ((time - 4 * day) % (7 * day)); // Mondays
  const span = /D$/.test(timeframe) ? day : Number(timeframe) * 60_000;
  return time - (time % span);
}

function aggregated(timeframe) {
  const made = [];
  for (const candle of job.candles) {
    const openTime = opening(candle.openTime, timeframe);
    const last = made[made.length - 1];
    if (last?.openTime === openTime) {
      last.high = Math.max(last.high, candle.high);
      last.low = Math.min(last.low, candle.low);
      last.close = candle.close;
      last.volume += candle.volume;
      last.closeTime = candle.closeTime;
    } else {
      made.push({ ...candle, openTime });
    }
  }
  return made;
}

const symbol = {
  ticker: "PAIR",
  tickerid: "PAIR",
  main_tickerid: "PAIR",
  type: "crypto",
  timezone: "UTC",
  session: "24x7",
  currency: "USDT",
  mintick: 0.01,
  minmove: 1,
  pricescale: 100,
  pointvalue: 1,
};
const provider = {
  configure() {},
  getMarketData: async (_ticker, timeframe) => aggregated(timeframe),
  getSymbolInfo: async () => symbol,
};

async function plotted() {
  const pine = new PineTS(provider, "PAIR", String(job.minutes));
  const { plots } = await pine.run(new Indicator(job.text, job.inputs));
  const made = {};
  for (const [title, plot] of Object.entries(plots)) {
    made[title] = plot.data.map(({ value }) => {
      const number = value === null || value === undefined ? NaN : Number(value);
      return Number.isFinite(number) ? number : null;
    });
  }
  return made;
}

try {
  writeFileSync(out, JSON.stringify(await plotted()));
} catch (error) {
  // Thrown on, node would print the line that threw: all of a minified library.
  console.error(String(error));
  process.exitCode = 1;
}
