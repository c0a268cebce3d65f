// Looks at a site in Chromium: node browser.mjs MODULES PROGRAM ADDRESS, a JSON object on standard input: {pages: [path], widths: [px], questions: [text]}.
// Prints {wide: [what is wider than the window], said: [what the console says], reached: [addresses elsewhere], answers: {question: [path]}}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, program, address] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const { pages, widths, questions } = JSON.parse(readFileSync(0, "utf8"));
const args = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const browser = await chromium.launch({ executablePath: program, args: args.split(" ") });
const tab = await browser.newPage();
tab.setDefaultTimeout(120_000); // many tests run beside it
const seen = { wide: [], said: [], reached: [], answers: {} };
tab.on("request", (request) => request.url().startsWith(address) || seen.reached.push(request.url()));
const say = (said) => seen.said.push(`${tab.frames().at(-1).url()}: ${said}`);
tab.on("console", (message) => say(message.text()));
tab.on("pageerror", say);

// Each page is laid out in a frame of each width, but not painted, which takes half of the time of a whole tab. It is loaded at the width that the one before ended with.
await tab.goto(`${address}/`);
seen.wide = await tab.evaluate(async ([pages, widths]) => {
  const wide = [];
  const frame = document.createElement("iframe");
  document.body.replaceChildren(frame);
  frame.style = "border: 0; height: 800px; visibility: hidden";
  for (const path of pages) {
    await new Promise((loaded) => {
      frame.onload = loaded;
      frame.contentWindow.location.replace(path);
    });
    for (const width of widths) {
      frame.style.width = `${width}px`;
      const wanted = frame.contentDocument.documentElement.scrollWidth;
      if (wanted > width || frame.contentWindow.innerWidth !== width) wide.push(`${path} at ${width}: ${wanted}`);
    }
    widths.reverse();
  }
  return wide;
}, [pages, widths]);
for (const [index, question] of questions.entries()) {
  await tab.setViewportSize({ width: widths[index % widths.length], height: 800 });
  await tab.goto(`${address}/`);
  const input = tab.locator("input.sidebar-search");
  const menu = tab.locator(".header-left label[for=__navigation]");
  if (await menu.isVisible()) await menu.click();
  await input.click();
  await input.fill(question);
  await input.press("Enter");
  await tab.waitForSelector("#search-results li a");
  await tab.waitForFunction(() => document.querySelector(".search-summary").textContent.includes("finished"));
  seen.answers[question] = await tab.$$eval("#search-results li > a", (links) => links.map((link) => new URL(link.href).pathname));
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
