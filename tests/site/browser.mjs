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
tab.on("console", (message) => seen.said.push(`${tab.url()}: ${message.text()}`));
tab.on("pageerror", (error) => seen.said.push(`${tab.url()}: ${error}`));

for (const path of pages) {
  await tab.setViewportSize({ width: widths[0], height: 800 });
  await tab.goto(address + path);
  for (const width of widths) {
    await tab.setViewportSize({ width, height: 800 });
    const wanted = await tab.evaluate(() => document.documentElement.scrollWidth);
    if (wanted > width) seen.wide.push(`${path} at ${width}: ${wanted}`);
  }
}
for (const [index, question] of questions.entries()) {
  await tab.setViewportSize({ width: widths[index % widths.length], height: 800 });
  await tab.goto(`${address}/`);
  const input = tab.locator("input.sidebar-search");
  const menu = tab.locator(".header-left label[for=__navigation]");
  if (await menu.isVisible()) await menu.click();
  await input.click();
  await input.pressSequentially(question);
  await input.press("Enter");
  await tab.waitForSelector("#search-results li a");
  await tab.waitForFunction(() => document.querySelector(".search-summary").textContent.includes("finished"));
  seen.answers[question] = await tab.$$eval("#search-results li > a", (links) => links.map((link) => new URL(link.href).pathname));
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
