// Lets a foreign page in Chromium do what pages can: node foreign.mjs MODULES PROGRAM PAGE URL. Prints what the page could read.
import { createRequire } from "node:module";

const [modules, program, page, url] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const args = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const rules = "--host-resolver-rules=MAP evil.example 127.0.0.1";
const browser = await chromium.launch({ executablePath: program, args: [...args.split(" "), rules] });
const tab = await browser.newPage();
tab.setDefaultTimeout(60_000);
await tab.goto(page);
const read = await tab.evaluate(async (url) => {
  const read = [];
  const ask = async (name, options, target = url) => {
    try {
      const answer = await fetch(target, options);
      if (answer.type !== "opaque" && answer.ok) read.push(name);
    } catch {}
  };
  await ask("a plain fetch", {});
  await ask("a fetch without CORS", { mode: "no-cors" });
  await ask("a POST without CORS", { mode: "no-cors", method: "POST", body: "x" });
  await ask("a fetch with a header of its own", { headers: { "X-Own": "1" } });
  await ask("a DELETE", { method: "DELETE" });
  await ask("a fetch without a referrer", { referrerPolicy: "no-referrer", mode: "no-cors", credentials: "include" });
  const load = (tag, attributes) =>
    new Promise((done) => {
      const made = Object.assign(document.createElement(tag), attributes, { onload: done, onerror: done });
      document.body.append(made);
      setTimeout(done, 5000);
    });
  await load("img", { src: url });
  await load("script", { src: url });
  await load("link", { rel: "stylesheet", href: url });
  await load("iframe", { src: url });
  await load("iframe", { src: url, referrerPolicy: "no-referrer", sandbox: "" });
  await load("iframe", { srcdoc: `<img src="${url}">` });
  navigator.sendBeacon(url, "x");
  await new Promise((done) => {
    const socket = new WebSocket(url.replace("http:", "ws:"));
    socket.onopen = socket.onerror = done;
  });
  for (const method of ["get", "post"]) {
    const frame = Object.assign(document.createElement("iframe"), { name: method });
    const form = Object.assign(document.createElement("form"), { action: url, method, target: method });
    document.body.append(frame, form);
    await new Promise((done) => ((frame.onload = done), form.submit(), setTimeout(done, 5000)));
  }
  return read;
}, url);
const statuses = {};
const leave = Promise.all([tab.waitForNavigation(), tab.evaluate((url) => void (location.href = url), url)]);
statuses["a navigation"] = (await leave)[0].status();
statuses["a name that leads here"] = (await tab.goto(url.replace("127.0.0.1", "evil.example"))).status();
await browser.close();
process.stdout.write(JSON.stringify({ read, statuses }));
