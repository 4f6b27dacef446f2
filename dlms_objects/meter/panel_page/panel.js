// The front panel: draws what the meter says, a word or a number at a time; decides nothing about money.
"use strict";

const POLL_MS = 2000;
const TURN_MS = 4000;
const CODE_MS = 1500;
const ANSWER_MS = 10000; // how long the answer to an amount stays on the display

const part = (id) => document.getElementById(id);
const say = (id, words) => { if (part(id).textContent !== words) part(id).textContent = words; };

let view = null;       // as last told
let token = "";        // what a change must carry
let form = null;       // the name of the form being filled in; a new one only after its answer
let spare = "";        // the name of the next form
let turn = 0;          // which fee item is shown
let courier = null;    // {batch, frames} while the code is shown
let frame = 0;         // which of its frames
let answer = null;     // the answer to an amount, while it is shown
let keyed = null;      // the field that the keypad writes to
let held = matchMedia("(prefers-reduced-motion: reduce)").matches;

function template(id) {
  const [zh, en] = part(id).content.querySelectorAll("p");
  return { zh: zh.textContent, en: en.textContent };
}

function message(words) {
  say("message-zh", words.zh);
  say("message-en", words.en);
}

function drawItem() {
  const items = view.items;
  if (!items.length) {
    const none = template("none");
    say("item-name", `${none.zh} ${none.en}`);
    for (const id of ["item-turn", "item-due", "item-amount", "item-state"]) say(id, "");
    return;
  }
  turn = (turn + items.length) % items.length;
  const item = items[turn];
  say("item-name", item.label || `${item.kind.zh} ${item.kind.en}`);
  say("item-turn", `${turn + 1} / ${items.length}`);
  say("item-due", item.due);
  say("item-amount", item.amount ? `${item.amount} ${view.currency}` : item.due ? "--" : "");
  say("item-state", `${item.kind.zh} ${item.kind.en} · ${item.state.zh} ${item.state.en}`);
}

function drawLamps() {
  const drawn = JSON.stringify(view.lamps);
  if (part("lamps").dataset.drawn === drawn) return;
  part("lamps").dataset.drawn = drawn;
  part("lamps").replaceChildren(...view.lamps.map((lamp) => {
    const li = document.createElement("li");
    li.className = lamp.level;
    const shine = document.createElement("i");
    shine.setAttribute("aria-hidden", "true");
    li.append(shine, ...[lamp.name.zh, lamp.name.en, lamp.words.zh, lamp.words.en].map((words, place) => {
      const line = document.createElement(place < 2 ? "b" : "span");
      line.lang = place % 2 ? "en" : "zh-CN";
      line.textContent = words;
      return line;
    }));
    return li;
  }));
}

function drawEntry() {
  part("entry-fields").disabled = !view.can_enter;
  say("entry-zh", view.entry.zh);
  say("entry-en", view.entry.en);
  const options = view.items.filter((item) => item.takes_amount);
  const drawn = JSON.stringify(options.map((item) => [item.number, item.due_day, item.label]));
  if (part("fee").dataset.drawn === drawn) return;
  const chosen = part("fee").value;
  part("fee").dataset.drawn = drawn;
  part("fee").replaceChildren(...options.map((item) => {
    const option = document.createElement("option");
    option.value = JSON.stringify([item.number, item.due_day]);
    option.textContent = `${item.label || item.kind.zh} ${item.due_day}`;
    return option;
  }));
  if (options.some((item) => JSON.stringify([item.number, item.due_day]) === chosen)) part("fee").value = chosen;
}

function draw() {
  say("time", view.time);
  say("balance", view.balance);
  say("currency", view.currency);
  message(answer || (view.prompt.zh ? view.prompt : template("well")));
  const amount = view.next_amount ? `${view.next_amount} ${view.currency}` : "";
  say("next", view.next_due ? `${view.next_due} ${amount}` : "--");
  drawItem();
  drawLamps();
  drawEntry();
  document.body.dataset.ready = "true";
}

async function refresh() {
  try {
    const told = await fetch("/panel.json");
    if (!told.ok) throw new Error(told.status);
    const page = await told.json();
    ({ view, token } = page);
    spare = page.form;
    draw();
  } catch {
    message(template("lost"));
  }
}

function drawCode() {
  const shown = courier !== null;
  part("code").hidden = !shown;
  part("item").hidden = shown;
  part("show-code").setAttribute("aria-pressed", String(shown));
  if (!shown) return;
  const total = courier.frames.length;
  frame = (frame + total) % total;
  const words = `${frame + 1} / ${total}`;
  part("code-picture").src = `/courier/${courier.batch}/${frame + 1}.svg`;
  part("code-picture").alt = `二维码 QR ${words}`;
  say("code-turn", words);
}

async function toggleCode() {
  if (courier) {
    courier = null;
  } else {
    try {
      const told = await fetch("/courier.json");
      const page = await told.json();
      if (told.ok) {
        courier = page;
        frame = 0;
      } else {
        show(page.words);
      }
    } catch {
      message(template("lost"));
    }
  }
  drawCode();
}

function move(step) {
  if (courier) {
    frame += step;
    drawCode();
  } else if (view) {
    turn += step;
    drawItem();
  }
}

let answered = 0;
function show(words) {
  answer = words;
  message(words);
  clearTimeout(answered);
  answered = setTimeout(() => { answer = null; if (view) draw(); }, ANSWER_MS);
}

async function enter(event) {
  event.preventDefault();
  if (!part("fee").value || part("enter").disabled) return;
  form = form || spare;
  const [number, due_day] = JSON.parse(part("fee").value);
  const typed = { pin: part("pin").value, number, due_day, amount: part("amount").value, form };
  part("enter").disabled = true;
  try {
    const told = await fetch("/amount", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Panel-Token": token },
      body: JSON.stringify(typed),
    });
    const page = await told.json();
    form = null; // answered: what comes next is another request
    part("pin").value = "";
    if (page.is_done) part("amount").value = "";
    show(page.words);
  } catch {
    message(template("lost")); // it may have been done: the next press asks the same again, under the same name
  }
  part("enter").disabled = false;
  await refresh();
}

function hold(wanted) {
  held = wanted;
  part("hold").setAttribute("aria-pressed", String(held));
}

function press(event) {
  const key = event.target.dataset.key;
  if (!key) return;
  const field = keyed || part("amount");
  if (field !== part("pin")) form = null;
  field.value = key === "back" ? field.value.slice(0, -1) : (field.value + key).slice(0, field.maxLength);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape" && courier) {
    toggleCode();
  } else if (!event.target.closest("input, select")) {
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
    if (event.key === "q" || event.key === "Q") toggleCode();
  }
});
part("back").addEventListener("click", () => move(-1));
part("forth").addEventListener("click", () => move(1));
part("hold").addEventListener("click", () => hold(!held));
part("show-code").addEventListener("click", toggleCode);
part("entry").addEventListener("submit", enter);
part("entry").addEventListener("input", (event) => { if (event.target !== part("pin")) form = null; });
document.querySelector(".keypad").addEventListener("click", press);
for (const id of ["amount", "pin"]) part(id).addEventListener("focus", () => { keyed = part(id); });

hold(held);
refresh();
setInterval(refresh, POLL_MS);
setInterval(() => { if (!held && !courier) move(1); }, TURN_MS);
setInterval(() => { if (!held && courier) move(1); }, CODE_MS);
