// The media of a message: photos, files, stickers and other attachments.

import * as api from "./api.js";
import { button, drawing, el } from "./dom.js";
import { label } from "./labels.js";

const ROWS = {
  voice: ["mic", (message) => `0:${String(message.voice?.duration ?? 0).padStart(2, "0")}`],
  video_note: ["image", () => ""],
  location: ["pin", (message) => coordinates(message.location)],
  contact: ["person", (message) => `${message.contact?.first_name ?? ""} ${message.contact?.phone_number ?? ""}`],
  poll: ["dots", (message) => message.poll?.question ?? ""],
};

/** The media of a message, or nothing. */
export function media(message, act) {
  if (message.photo) return photo(message, act);
  if (message.document) return documentRow(message.document);
  if (message.kind === "sticker") return el("div", { class: "sticker", role: "img", "aria-label": label("chat.sticker") }, message.sticker?.emoji ?? "👍");
  const row = ROWS[message.kind];
  if (row) return thing(row[0], label(`chat.${message.kind}`), row[1](message));
  return message.title ? thing("dots", message.title, "") : null;
}

function photo(message, act) {
  const { file_id: file, width, height } = message.photo;
  const image = el("img", { src: api.fileAddress(file), width, height, alt: message.caption || label("chat.photo"), decoding: "async" });
  image.draggable = !message.protect;
  const shown = button({ class: "photo", "aria-label": label("chat.photo") }, image);
  if (message.spoiler) cover(shown);
  const figure = el("figure", { class: "media" }, shown);
  let link = null;
  shown.addEventListener("click", () => {
    if (shown.classList.contains("covered")) shown.classList.remove("covered");
    else if (link === null) act.enlarge(message);
    else act.scan(link);
  });
  if (message.from === "bot") {
    readCode(file).then((text) => {
      if (text === null) return;
      link = text;
      shown.setAttribute("aria-label", label("chat.scan"));
      figure.append(button({ class: "scan", icon: "scan", on: { click: () => act.scan(text) } }, label("chat.scan")));
    });
  }
  return figure;
}

const codes = new Map();

function readCode(file) {
  if (!codes.has(file)) codes.set(file, api.qr(file).then((told) => told.text).catch(() => null));
  return codes.get(file);
}

function cover(shown) {
  shown.classList.add("covered");
  shown.setAttribute("aria-label", label("chat.spoiler"));
}

function documentRow(file) {
  const facts = { class: "thing", href: api.fileAddress(file.file_id), download: file.file_name ?? "file" };
  return el("a", facts, ...inside("file", file.file_name ?? label("chat.document"), size(file.file_size)));
}

function thing(icon, title, detail) {
  return el("div", { class: "thing" }, ...inside(icon, title, detail));
}

function inside(icon, title, detail) {
  const words = el("span", { class: "thing-words" }, el("strong", {}, title), el("small", {}, detail.trim()));
  return [el("span", { class: "thing-icon" }, drawing(icon)), words];
}

const coordinates = (place) => (place ? `${place.latitude.toFixed(4)}, ${place.longitude.toFixed(4)}` : "");

function size(bytes) {
  if (!bytes) return "";
  return bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}
