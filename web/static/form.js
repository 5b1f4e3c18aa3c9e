// Inside Telegram the address carries what Telegram says of the person, signed, after the "#". It goes along with the form.
"use strict";

const initData = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData") || sessionStorage.getItem("initData");
const field = document.querySelector("input[name=init_data]");
if (initData && field) {
  sessionStorage.setItem("initData", initData);
  field.value = initData;
}
