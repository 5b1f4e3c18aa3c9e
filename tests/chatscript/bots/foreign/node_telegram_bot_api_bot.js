// A foreign bot in JavaScript: node-telegram-bot-api with events and long polling.

const path = require("node:path");
const TelegramBot = require("node-telegram-bot-api");

const bot = new TelegramBot(process.env.BOT_TOKEN, { polling: true, baseApiUrl: process.env.BOT_API_URL });
const steps = new Map();
const keys = { inline_keyboard: [["Yes", "No"].map((word) => ({ text: word, callback_data: word }))] };

bot.onText(/^\/start/, async ({ chat }) => {
  steps.set(chat.id, { asked: "name" });
  await bot.sendMessage(chat.id, "What is your name?");
});

bot.onText(/^\/cancel/, async ({ chat }) => {
  steps.delete(chat.id);
  await bot.sendMessage(chat.id, "Bye.");
});

bot.onText(/^[^/]/, async ({ chat, text }) => {
  if (steps.get(chat.id)?.asked !== "name") return;
  steps.set(chat.id, { name: text });
  await bot.sendMessage(chat.id, `Hello ${text}, do you agree?`, { reply_markup: keys });
});

bot.on("callback_query", async ({ id, data, message }) => {
  const verdict = data === "Yes" ? "agreed" : "declined";
  await bot.answerCallbackQuery(id, { text: "Noted" });
  const place = { chat_id: message.chat.id, message_id: message.message_id };
  await bot.editMessageText(`${steps.get(message.chat.id).name} ${verdict}.`, place);
  steps.delete(message.chat.id);
});

bot.onText(/^\/photo/, ({ chat }) => {
  const kind = { filename: "picture.png", contentType: "image/png" };
  return bot.sendPhoto(chat.id, path.join(__dirname, "picture.png"), { caption: "A picture" }, kind);
});

bot.onText(/^\/poll/, ({ chat }) => bot.sendPoll(chat.id, "Tea or coffee?", ["Tea", "Coffee"], { is_anonymous: false }));

bot.on("poll_answer", ({ user, option_ids }) => bot.sendMessage(user.id, `You chose ${option_ids[0]}`));

bot.onText(/^\/pay/, ({ chat }) =>
  bot.sendInvoice(chat.id, "Tea", "A cup", "tea", "", "XTR", [{ label: "Tea", amount: 5 }]),
);

bot.on("pre_checkout_query", ({ id }) => bot.answerPreCheckoutQuery(id, true));

bot.on("successful_payment", ({ chat, successful_payment: { total_amount, currency } }) =>
  bot.sendMessage(chat.id, `Paid ${total_amount} ${currency}`),
);

bot.on("document", ({ chat, document }) => bot.sendMessage(chat.id, `Got ${document.file_name}`));
