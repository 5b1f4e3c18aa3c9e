// The page's own words, in both languages. The bot's words are never touched.

const KEY = "playground.language";
const LANGUAGES = { zh: "zh-CN", en: "en" };

let labels = {};
let spoken = "zh";

/** The language the page speaks, as a tag for Intl and the lang attribute. */
export const tag = () => LANGUAGES[spoken];

/** One label, its {placeholders} filled in. */
export function label(key, values = {}) {
  const words = labels[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Load a language: the one chosen before, else Chinese. */
export async function speak(language = remembered()) {
  const answer = await fetch(`/static/labels.${language}.json`);
  labels = await answer.json();
  spoken = language;
  remember(language);
  document.documentElement.lang = tag();
  document.title = label("app.title");
}

/** The language the switch leads to. */
export const other = () => (spoken === "zh" ? "en" : "zh");

/** Fill in what the page's HTML marks with data-label and data-label-aria. */
export function fill(root) {
  for (const place of root.querySelectorAll("[data-label]")) place.textContent = label(place.dataset.label);
  for (const place of root.querySelectorAll("[data-label-aria]")) {
    place.setAttribute("aria-label", label(place.dataset.labelAria));
    if (place.tagName === "BUTTON") place.title = label(place.dataset.labelAria);
  }
}

function remembered() {
  try {
    const language = localStorage.getItem(KEY);
    return language in LANGUAGES ? language : "zh";
  } catch {
    return "zh"; // storage may be switched off
  }
}

function remember(language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // The choice then lasts for this visit only.
  }
}
