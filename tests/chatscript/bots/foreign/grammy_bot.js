// A foreign bot in JavaScript: grammY as its own guide has it, with states in memory.

const { Bot, InlineKeyboard } = require("grammy");

const bot = new Bot(process.env.BOT_TOKEN, { client: { apiRoot: process.env.BOT_API_URL } });
const steps = new Map();
const keys = new InlineKeyboard().text("Yes").text("No");

bot.command("start", async (context) => {
  steps.set(context.chat.id, { asked: "name" });
  await context.reply("What is your name?");
});

bot.command("cancel", async (context) => {
  steps.delete(context.chat.id);
  await context.reply("Bye.");
});

bot.on("message:text", async (context) => {
  if (steps.get(context.chat.id)?.asked !== "name") return;
  steps.set(context.chat.id, { name: context.message.text });
  await context.reply(`Hello ${context.message.text}, do you agree?`, { reply_markup: keys });
});

bot.on("callback_query:data", async (context) => {
  const verdict = context.callbackQuery.data === "Yes" ? "agreed" : "declined";
  await context.answerCallbackQuery("Noted");
  await context.editMessageText(`${steps.get(context.chat.id).name} ${verdict}.`);
  steps.delete(context.chat.id);
});

bot.start();
