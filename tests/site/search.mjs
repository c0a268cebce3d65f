// Answers questions with the search of a built site, without a browser: node search.mjs SITE, a JSON list of questions on standard input.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const site = process.argv[2];
const page = {
  document: { documentElement: {}, querySelectorAll: () => [] },
  location: { protocol: "http:" },
  DOCUMENTATION_OPTIONS: {},
  SPHINX_HIGHLIGHT_ENABLED: false,
  _ready: () => {},
  console,
};
page.window = page;
const scripts = ["base-stemmer", "english-stemmer", "language_data", "searchtools", "ranking"];
const texts = [...scripts.map((name) => `_static/${name}.js`), "searchindex.js"].map((name) => readFileSync(`${site}/${name}`, "utf8"));
const [questions] = readFileSync(`${site}/search/index.html`, "utf8").match(/const QUESTIONS = .*?;(?=<\/script>)/s);
texts.splice(-2, 0, questions);
const answer = "JSON.stringify(questions.map((question) => Ranking.results(question).map((result) => result[0])))";
page.questions = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(vm.runInNewContext(`${texts.join("\n;")}\n;${answer}`, page));
