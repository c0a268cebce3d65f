// Looks at pages in Chromium: node pages.mjs MODULES PROGRAM FOLDER, a JSON object on standard input: {pages: [file], widths: [px]}.
// Prints {wide, said, reached, ran, pale: lists of sentences}: what is wider than the window, what the console says, which addresses
// are asked, where a script ran, and which text has too little contrast (WCAG 2.2, 1.4.3).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, program, folder] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const { pages, widths } = JSON.parse(readFileSync(0, "utf8"));
const args = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const browser = await chromium.launch({ executablePath: program, args: args.split(" ") });
const seen = { wide: [], said: [], reached: [], ran: [], pale: [], shown: {} };

function palePlaces() {
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const pale = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest(".unseen, svg")) continue;
    const [light, dark] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) pale.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...pale];
}

for (const colorScheme of ["light", "dark"]) {
  const tab = await browser.newPage({ colorScheme });
  tab.setDefaultTimeout(120_000); // many tests run beside it
  for (const page of pages) {
    const address = pathToFileURL(`${folder}/${page}`).href;
    tab.removeAllListeners();
    for (const event of ["requestfinished", "requestfailed"])
      tab.on(event, (request) => {
        const isOurs = request.url() === address || request.url().startsWith("data:");
        if (!isOurs && request.failure()?.errorText !== "csp") seen.reached.push(`${page}: ${request.url()}`); // the console tells what the policy stopped
      });
    tab.on("console", (message) => seen.said.push(`${page}: ${message.text()}`));
    tab.on("pageerror", (error) => seen.said.push(`${page}: ${error}`));
    tab.on("dialog", (dialog) => seen.ran.push(`${page}: ${dialog.message()}`) && dialog.dismiss());
    await tab.setViewportSize({ width: widths[0], height: 800 });
    await tab.goto(address);
    await tab.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
    for (const width of widths) {
      await tab.setViewportSize({ width, height: 800 });
      const wanted = await tab.evaluate(() => document.documentElement.scrollWidth);
      if (wanted > width) seen.wide.push(`${page} at ${width}: ${wanted}`);
    }
    await tab.evaluate(() => document.querySelectorAll("*").forEach((each) => each.dispatchEvent(new MouseEvent("mouseover"))));
    if (await tab.evaluate(() => globalThis.ran)) seen.ran.push(`${page}: a script`);
    seen.pale.push(...(await tab.evaluate(palePlaces)).map((place) => `${page}, ${colorScheme}: ${place}`));
    seen.shown[page] = await tab.evaluate(() => document.body.textContent);
  }
  await tab.close();
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
