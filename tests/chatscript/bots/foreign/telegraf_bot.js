// A foreign bot in JavaScript: telegraf with a wizard in a session, fed by a webhook.

const http = require("node:http");
const path = require("node:path");
const { Telegraf, Scenes, Markup, session } = require("telegraf");

const bot = new Telegraf(process.env.BOT_TOKEN, { telegram: { apiRoot: process.env.BOT_API_URL } });
const keys = Markup.inlineKeyboard([Markup.button.callback("Yes", "Yes"), Markup.button.callback("No", "No")]);

const talk = new Scenes.WizardScene(
  "talk",
  async (context) => {
    await context.reply("What is your name?");
    return context.wizard.next();
  },
  async (context) => {
    context.wizard.state.name = context.message.text;
    await context.reply(`Hello ${context.message.text}, do you agree?`, keys);
    return context.wizard.next();
  },
  async (context) => {
    if (!context.callbackQuery) return undefined;
    const verdict = context.callbackQuery.data === "Yes" ? "agreed" : "declined";
    await context.answerCbQuery("Noted");
    await context.editMessageText(`${context.wizard.state.name} ${verdict}.`);
    return context.scene.leave();
  },
);
talk.command("cancel", async (context) => {
  await context.reply("Bye.");
  return context.scene.leave();
});

const stage = new Scenes.Stage([talk]);
bot.use(session());
bot.use(stage.middleware());
bot.start((context) => context.scene.enter("talk"));
bot.command("photo", (context) =>
  context.replyWithPhoto({ source: path.join(__dirname, "picture.png") }, { caption: "A picture" }),
);
bot.command("poll", (context) => context.replyWithPoll("Tea or coffee?", ["Tea", "Coffee"], { is_anonymous: false }));
bot.on("poll_answer", (context) =>
  context.telegram.sendMessage(context.pollAnswer.user.id, `You chose ${context.pollAnswer.option_ids[0]}`),
);
bot.command("pay", (context) =>
  context.replyWithInvoice({
    title: "Tea", description: "A cup", payload: "tea", provider_token: "", currency: "XTR",
    prices: [{ label: "Tea", amount: 5 }],
  }),
);
bot.on("pre_checkout_query", (context) => context.answerPreCheckoutQuery(true));
bot.on("successful_payment", (context) => {
  const { total_amount, currency } = context.message.successful_payment;
  return context.reply(`Paid ${total_amount} ${currency}`);
});
bot.on("document", (context) => context.reply(`Got ${context.message.document.file_name}`));

const server = http.createServer(bot.webhookCallback("/hook"));
server.listen(0, "127.0.0.1", () => bot.telegram.setWebhook(`http://127.0.0.1:${server.address().port}/hook`));
