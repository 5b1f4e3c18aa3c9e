// Functions that build the page. They insert text as text and never parse HTML.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  shield: "M12 3l7 2.6v5.6c0 4.6-2.9 7.9-7 9.8-4.1-1.9-7-5.2-7-9.8V5.6zM8.8 12l2.2 2.2 4.2-4.4",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  group: "M9 11a3 3 0 100-6 3 3 0 000 6zM3 19c0-3.3 2.7-5.5 6-5.5s6 2.2 6 5.5M16 5.5a3 3 0 010 5.2M17.5 14c2.1.7 3.5 2.5 3.5 5",
  menu: "M4 7h16M4 12h16M4 17h10",
  phone: "M8 3h8a2 2 0 012 2v14a2 2 0 01-2 2H8a2 2 0 01-2-2V5a2 2 0 012-2zM11 18h2",
  down: "M6 9l6 6 6-6",
  send: "M5 12h12M12 6l6 6-6 6",
  clip: "M19 11l-7.5 7.5a4.5 4.5 0 01-6.4-6.4L13 4.3a3 3 0 014.3 4.2l-7.8 7.8a1.5 1.5 0 01-2.2-2.1L14 7.6",
  slash: "M15 5L9 19",
  keys: "M4 7h16v10H4zM7.5 10.5h.01M12 10.5h.01M16.5 10.5h.01M8 14h8",
  link: "M8 16L16 8M10 8h6v6",
  copy: "M9 9h9v10H9zM6 15V5h9",
  pencil: "M5 19l1-4L16 5l3 3L9 18z",
  scan: "M4 8V5a1 1 0 011-1h3M16 4h3a1 1 0 011 1v3M20 16v3a1 1 0 01-1 1h-3M8 20H5a1 1 0 01-1-1v-3M4 12h16",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  pin: "M12 21s6-5.5 6-10.5a6 6 0 10-12 0C6 15.5 12 21 12 21zM12 12.5a2 2 0 100-4 2 2 0 000 4z",
  person: "M12 12a4 4 0 100-8 4 4 0 000 8zM5 20c0-3.6 3-6 7-6s7 2.4 7 6",
  mic: "M12 14a3 3 0 003-3V6a3 3 0 00-6 0v5a3 3 0 003 3zM6 11a6 6 0 0012 0M12 17v4",
  smile: "M12 21a9 9 0 100-18 9 9 0 000 18zM8.5 14a4.2 4.2 0 007 0M9 9.5h.01M15 9.5h.01",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9h.01",
  forward: "M13 6l6 6-6 6v-4c-5 0-7 2-8 4 0-6 3-9 8-9z",
  reply: "M11 6l-6 6 6 6v-4c5 0 7 2 8 4 0-6-3-9-8-9z",
  at: "M12 16a4 4 0 100-8 4 4 0 000 8zM16 8v5.5a2.5 2.5 0 005 0V12a9 9 0 10-4 7.5",
  back: "M15 5l-7 7 7 7",
  dots: "M6 12h.01M12 12h.01M18 12h.01",
  reload: "M19 12a7 7 0 11-2.2-5.1M19 4v4h-4",
  lock: "M7 11h10v8H7zM9 11V8a3 3 0 016 0v3",
  signals: "M2 17v-2M6 17v-5M10 17V9M14 17V6M19 8h3v8h-5V8z",
  record: "M12 20a8 8 0 100-16 8 8 0 000 16zM12 15a3 3 0 100-6 3 3 0 000 6z",
  ban: "M12 21a9 9 0 100-18 9 9 0 000 18zM6 6l12 12",
  wechat: "M9.5 4.5c-3.6 0-6.5 2.3-6.5 5.2 0 1.7 1 3.2 2.5 4.2l-.6 2 2.4-1.2c.7.2 1.4.3 2.2.3M15 9.5c-3.3 0-6 2.1-6 4.8s2.7 4.7 6 4.7c.7 0 1.4-.1 2-.3l2 1-.5-1.7c1.5-.9 2.5-2.2 2.5-3.7 0-2.7-2.7-4.8-6-4.8zM7.5 8.7h.01M11.5 8.7h.01M13 13.4h.01M17 13.4h.01",
  qq: "M12 4a8 8 0 100 16 8 8 0 000-16zM14.5 14.5l5 5",
  globe: "M12 21a9 9 0 100-18 9 9 0 000 18zM3.5 12h17M12 3c5 5.5 5 12.5 0 18M12 3c-5 5.5-5 12.5 0 18",
};

/** Create an element; `on` has listeners, `data` the dataset, `icon` an icon before the children. */
export function el(tag, { on = {}, data = {}, icon = null, ...facts } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  Object.assign(element.dataset, data);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  if (icon) element.append(drawing(icon));
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Create a button that submits no form. */
export function button(facts, ...children) {
  return el("button", { type: "button", ...facts }, ...children);
}

/** Create an icon. */
export function drawing(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "drawing" })) {
    svg.setAttribute(key, value);
  }
  path.setAttribute("d", ICONS[name] ?? ICONS.dots);
  svg.append(path);
  return svg;
}

/** Insert the icons into the elements with data-icon. */
export function drawIcons(root) {
  for (const place of root.querySelectorAll("[data-icon]")) place.replaceChildren(drawing(place.dataset.icon));
}

export const byId = (id) => document.getElementById(id);

/** Whether the user prefers reduced motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Show a dialog and remove it when it closes; resolves with its return value. */
export function ask(content, facts = {}) {
  const dialog = el("dialog", { class: "sheet", ...facts }, content);
  document.body.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.showModal();
  });
}
