// The page's own labels in both languages. The bot's texts are never translated.

const KEY = "playground.language";
const LANGUAGES = { zh: "zh-CN", en: "en" };

let labels = {};
let spoken = "zh";

/** The language of the page, as a tag for Intl and the lang attribute. */
export const tag = () => LANGUAGES[spoken];

/** A label with its {placeholders} filled in. */
export function label(key, values = {}) {
  const words = labels[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Load the language that was chosen before, or Chinese. */
export async function speak(language = remembered()) {
  const answer = await fetch(`/static/labels.${language}.json`);
  labels = await answer.json();
  spoken = language;
  remember(language);
  document.documentElement.lang = tag();
  document.title = label("app.title");
}

/** The language that the switch selects. */
export const other = () => (spoken === "zh" ? "en" : "zh");

/** Fill the elements with data-label and data-label-aria. */
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
    return "zh"; // storage may be disabled
  }
}

function remember(language) {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Without storage, the choice lasts for this visit only.
  }
}
