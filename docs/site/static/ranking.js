/*
 * Ranks the pages that Sphinx's search finds: by how many of the words of the question a page has, how rare these are,
 * and where they stand. Sphinx's own ranking drops a page that lacks one of the words.
 */
"use strict";

const Ranking = {
  PAGE_TITLE: 6,
  QUESTION: 4, // what an index page calls the page, and its address
  SECTION_TITLE: 2.5,
  TEXT: 1,
  BEGINNING: 0.6, // of the weight of a whole word, for a word that only begins like one of the question
  MOST: 15,
  LEAST: 0.25, // of the best page's score
  KINDS: { tutorial: 1.2, guides: 1.3, explanation: 0.7, project: 0.6, "reference/library": 0.6 }, // elsewhere 1

  /** Return the stems of a text without the words that every text has. */
  stems: (text) => {
    const stemmer = new Stemmer();
    return splitQuery(text.toLowerCase())
      .filter((word) => !stopwords.has(word) && !Ranking.FILLERS.has(word))
      .map((word) => stemmer.stemWord(word));
  },

  /** Words of questions that say nothing about their subject, beside Sphinx's stop words. */
  FILLERS: new Set(
    ("about another can connform could do does don get go have how i like made make may me must my need new no one other our own put see several should so some someone than them to us use using via want we what when where"
      + " which who why will with work would you your").split(" "),
  ),

  /** Return the pages that have a word, each with its weight: a whole word, else words that begin like it. */
  pages: (terms, word) => {
    const found = new Map();
    const add = (files, weight) =>
      [].concat(files).forEach((file) => found.set(file, Math.max(weight, found.get(file) ?? 0)));
    if (Object.hasOwn(terms, word)) add(terms[word], 1);
    else if (word.length > 2)
      for (const term of Object.keys(terms)) if (term.startsWith(word)) add(terms[term], Ranking.BEGINNING);
    return found;
  },

  /** Return how much of a word is among stems: 1 if it is, less if one begins like it. */
  share: (stems, word) =>
    stems.includes(word) ? 1 : word.length > 2 && stems.some((stem) => stem.startsWith(word)) ? Ranking.BEGINNING : 0,

  /** Return the heading of a page that has the most words of the question which its title lacks, with its anchor. */
  section: (file, question) => {
    const inTitle = new Set(Ranking.stems(Search._index.titles[file]));
    const words = question.filter((word) => !inTitle.has(word));
    let best = [0, null, null];
    for (const [title, places] of Object.entries(Search._index.alltitles))
      for (const [place, anchor] of places)
        if (place === file && anchor !== null && title !== Search._index.titles[file]) {
          const stems = new Set(Ranking.stems(title));
          const score = words.filter((word) => stems.has(word)).length - stems.size / 100;
          if (score > best[0]) best = [score, title, anchor];
        }
    return best;
  },

  /** Return the results of a question, the best first, as Sphinx has them. */
  results: (question) => {
    const { docnames, filenames, terms, titles, titleterms } = Search._index;
    const words = [...new Set(Ranking.stems(question))];
    const sizes = new Array(titles.length).fill(0);
    for (const files of Object.values(terms)) [].concat(files).forEach((file) => sizes[file]++);
    const usual = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    const scores = new Array(titles.length).fill(0);
    const called = docnames.map((name) => Ranking.stems(`${name.split("/").pop()} ${QUESTIONS[name] ?? ""}`));
    for (const word of words) {
      const inText = Ranking.pages(terms, word);
      const inTitles = Ranking.pages(titleterms, word);
      const inQuestions = called.map((stems) => Ranking.share(stems, word));
      const having = new Set([...inText.keys(), ...inTitles.keys()]);
      inQuestions.forEach((share, file) => share && having.add(file));
      const rarity = Math.log(1 + titles.length / (having.size + 1));
      for (const file of having) {
        const page = Ranking.stems(titles[file]);
        const long = 0.5 + (0.5 * sizes[file]) / usual; // a long page has more words by chance
        scores[file] +=
          rarity
          * ((Ranking.PAGE_TITLE * Ranking.share(page, word)) / Math.sqrt(page.length || 1)
            + (Ranking.QUESTION * inQuestions[file]) / Math.sqrt(called[file].length || 1)
            + (Ranking.SECTION_TITLE * (inTitles.get(file) ?? 0) + Ranking.TEXT * (inText.get(file) ?? 0)) / Math.sqrt(long));
      }
    }
    for (const [kind, factor] of Object.entries(Ranking.KINDS))
      docnames.forEach((name, file) => name.startsWith(kind) && (scores[file] *= factor));
    const best = Math.max(...scores);
    return scores
      .map((score, file) => [score, file])
      .filter(([score]) => score > 0 && score >= Ranking.LEAST * best)
      .sort((one, other) => other[0] - one[0] || one[1] - other[1])
      .slice(0, Ranking.MOST)
      .map(([score, file]) => {
        const [, title, anchor] = Ranking.section(file, words);
        return [
          docnames[file],
          title === null ? titles[file] : `${titles[file]} > ${title}`,
          title === null ? "" : `#${anchor}`,
          null,
          score,
          filenames[file],
          "text",
        ];
      });
  },
};

Search._performSearch = (question) => Ranking.results(question).reverse(); // which Sphinx shows from the end
DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:"; // a page can't be read from there
