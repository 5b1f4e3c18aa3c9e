// A foreign bot in JavaScript: grammY as its own guide has it, with states in memory and its runner.

const path = require("node:path");
const { Bot, InlineKeyboard, InputFile } = require("grammy");
const { run } = require("@grammyjs/runner");

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

bot.command("photo", (context) =>
  context.replyWithPhoto(new InputFile(path.join(__dirname, "picture.png")), { caption: "A picture" }),
);

bot.command("poll", (context) => context.replyWithPoll("Tea or coffee?", ["Tea", "Coffee"], { is_anonymous: false }));

bot.on("poll_answer", (context) =>
  context.api.sendMessage(context.pollAnswer.user.id, `You chose ${context.pollAnswer.option_ids[0]}`),
);

bot.command("pay", (context) =>
  context.replyWithInvoice("Tea", "A cup", "tea", "XTR", [{ label: "Tea", amount: 5 }]),
);

bot.on("pre_checkout_query", (context) => context.answerPreCheckoutQuery(true));

bot.on("message:successful_payment", async (context) => {
  const { total_amount, currency } = context.message.successful_payment;
  await context.reply(`Paid ${total_amount} ${currency}`);
});

bot.on("message:document", (context) => context.reply(`Got ${context.message.document.file_name}`));

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

run(bot);
