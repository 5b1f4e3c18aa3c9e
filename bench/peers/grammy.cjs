// A bot on grammY with its runner, which keeps everything in memory alone: the fastest of the usual ways to write a bot,
// and one that forgets all conversations when it ends.
const { randomBytes } = require('node:crypto');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const zlib = require('node:zlib');
const { run, sequentialize } = require('@grammyjs/runner');
const { Bot, InlineKeyboard, InputFile, InputMediaBuilder } = require('grammy');
const QRCode = require('qrcode');

const TEXTS = require(path.join(__dirname, 'texts.json'));
const ALL_CALLS = 24;
const leftOut = new Set(TEXTS.optional.slice(0, ALL_CALLS - Number(process.env.CALLS ?? ALL_CALLS)));
const makes = (call) => !leftOut.has(call);
const HTML = { parse_mode: 'HTML', link_preview_options: { is_disabled: true } };
const FORCE_REPLY = { force_reply: true, input_field_placeholder: TEXTS.placeholder };
const keyboards = Object.fromEntries(
  Object.entries(TEXTS.keyboards).map(([name, buttons]) => [
    name,
    InlineKeyboard.from(buttons.map(([label, data]) => [InlineKeyboard.text(label, data)])),
  ]),
);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const caption = (link, stage) => fill(TEXTS.caption, { link, stage: TEXTS[stage] });

// The library's own PNG takes 14 ms; this is its matrix as one bit a pixel, each module one byte wide and eight rows high.
const QUIET = 4;
const SCALE = 8;
function qr(link) {
  const { size, data } = QRCode.create(link, { maskPattern: 3, errorCorrectionLevel: 'M' }).modules;
  const side = size + 2 * QUIET;
  const pixels = Buffer.alloc(side * SCALE * (side + 1), 255);
  for (let row = 0; row < side * SCALE; row++) {
    const line = row * (side + 1);
    const y = Math.floor(row / SCALE) - QUIET;
    pixels[line] = 0;
    for (let x = 0; x < size && y >= 0 && y < size; x++) if (data[y * size + x]) pixels[line + 1 + QUIET + x] = 0;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side * SCALE, 0);
  header.writeUInt32BE(side * SCALE, 4);
  header[8] = 1;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [['IHDR', header], ['IDAT', zlib.deflateSync(pixels, { level: 1 })], ['IEND', Buffer.alloc(0)]];
  return Buffer.concat([signature, ...chunks.map(([name, body]) => chunk(name, body))]);
}

function chunk(name, body) {
  const content = Buffer.concat([Buffer.from(name), body]);
  const framed = Buffer.alloc(content.length + 8);
  framed.writeUInt32BE(body.length, 0);
  content.copy(framed, 4);
  framed.writeUInt32BE(zlib.crc32(content), content.length + 4);
  return framed;
}

const bot = new Bot(process.env.BOT_TOKEN, { client: { apiRoot: process.env.BOT_API_URL } });
const states = new Map();
const card = qr('passed');

const say = (chat, text, keyboard) =>
  bot.api.sendMessage(chat, text, { ...HTML, reply_markup: keyboard ? keyboards[keyboard] : FORCE_REPLY });

async function deleteBoth(chat, written, asked, what) {
  if (makes(`second deletion of the ${what}`)) {
    await bot.api.deleteMessage(chat, written);
    await bot.api.deleteMessage(chat, asked);
  } else if (makes(`deletion of the ${what}`)) {
    await bot.api.deleteMessages(chat, [written, asked]);
  }
}

async function sendCode(chat, state) {
  state.link = TEXTS.link + randomBytes(12).toString('base64url');
  if (makes('chat action')) await bot.api.sendChatAction(chat, 'upload_photo');
  const photo = new InputFile(qr(state.link), 'code.png');
  const content = { caption: caption(state.link, 'waiting'), parse_mode: 'HTML', reply_markup: keyboards.scan };
  state.code = (await bot.api.sendPhoto(chat, photo, content)).message_id;
}

async function takeEvent(chat, event) {
  const state = states.get(chat);
  state.stage = event;
  if (event === 'passed') {
    await say(chat, TEXTS.result, 'result');
    if (makes('stamp')) {
      const media = InputMediaBuilder.photo(new InputFile(card, 'card.png'), { caption: TEXTS.stamp, parse_mode: 'HTML' });
      await bot.api.editMessageMedia(chat, state.code, media);
    }
  } else if (makes(`progress: ${event}`)) {
    const content = { caption: caption(state.link, event), parse_mode: 'HTML', reply_markup: keyboards.scan };
    await bot.api.editMessageCaption(chat, state.code, content);
  }
}

bot.use(sequentialize((context) => String(context.chat?.id)));
bot.command('start', async (context) => {
  states.set(context.chat.id, { step: 'type' });
  await say(context.chat.id, TEXTS.start, 'type');
});
bot.on('message:text', async (context) => {
  const chat = context.chat.id;
  const state = states.get(chat);
  if (state?.step !== 'name' && state?.step !== 'number') return;
  const { step, asked } = state;
  state[step] = context.message.text;
  if (step === 'name') {
    state.step = 'number';
    state.asked = (await say(chat, TEXTS.number)).message_id;
  } else {
    state.step = 'confirm';
    await say(chat, fill(TEXTS.confirm, state), 'confirm');
  }
  await deleteBoth(chat, context.message.message_id, asked, step);
});
const AFTER = { type: 'consent', consent: 'name', confirm: 'method', method: 'scan' };
bot.on('callback_query:data', async (context) => {
  const chat = context.chat.id;
  const state = states.get(chat);
  const [step, choice] = context.callbackQuery.data.split(':');
  await context.answerCallbackQuery();
  if (state?.step !== step) return;
  if (step === 'type') state.type = choice;
  state.step = AFTER[step];
  if (makes(`${step} receipt`)) await context.editMessageText(fill(TEXTS[`${step}_done`], state), HTML);
  if (step === 'method') await (state.last = sendCode(chat, state));
  else if (step === 'consent') state.asked = (await say(chat, TEXTS.name)).message_id;
  else await say(chat, TEXTS[state.step], state.step);
});
bot.catch((failure) => console.error(failure));

// What happens on the phones, each person's in order.
function takeEvents() {
  const [host, port] = process.env.PHONE_EVENTS.split(':');
  const lines = readline.createInterface({ input: net.connect(Number(port), host) });
  lines.on('line', (line) => {
    const [chat, event] = line.split(' ');
    const state = states.get(Number(chat));
    state.last = state.last.then(() => takeEvent(Number(chat), event)).catch(console.error);
  });
}

takeEvents();
const runner = run(bot);
process.on('SIGTERM', () => runner.stop().then(() => process.exit(0)));
