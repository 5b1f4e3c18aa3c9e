// Inside Telegram, the address carries what Telegram says of the person, signed, after the "#". It goes along with the
// form, and is remembered for the page that asks to correct something. Once the form is taken, its Mini App is closed.
"use strict";

const initData = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData") || sessionStorage.getItem("initData");
const field = document.querySelector("input[name=init_data]");

if (initData && field) {
  sessionStorage.setItem("initData", initData);
  field.value = initData;
} else if (initData) {
  sessionStorage.removeItem("initData");
  if (window.TelegramWebviewProxy) {
    window.TelegramWebviewProxy.postEvent("web_app_close", "{}");
  } else if (window.parent !== window) {
    window.parent.postMessage(JSON.stringify({ eventType: "web_app_close", eventData: {} }), "https://web.telegram.org");
  }
}
