"use strict";
const page = JSON.parse(document.getElementById("page").textContent);
const byId = (id) => document.getElementById(id);
const all = (selector) => [...document.querySelectorAll(selector)];
const STORE = "kindred-who:" + page.id;
const webp = (id) => "data:image/webp;base64," + byId(id).textContent;

function load(key) {
  try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; }
}
function keep(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); byId("unkept").hidden = true; }
  catch { byId("unkept").hidden = false; }
}

const settings = Object.assign({rater: "me"}, load(STORE));
let answers = {}, at = 0, now = null, second = false;

function begin() {
  answers = load(STORE + ":" + settings.rater);
  at = page.pictures.findIndex((one) => !(one.key in answers));
  if (at < 0) at = page.pictures.length;
  open();
}

function open() {
  const one = page.pictures[at];
  now = one && (answers[one.key] || {who: [], others: 0, clothes: "", send: ""});
  second = false;
  show();
}

function show() {
  const count = page.pictures.filter((one) => one.key in answers).length;
  byId("count").textContent = count + " of " + page.pictures.length;
  byId("progress").value = count / page.pictures.length;
  const one = page.pictures[at];
  byId("done").hidden = !!one;
  byId("stage").hidden = byId("buttons").hidden = !one;
  if (!one) return;
  document.body.dataset.picture = one.key;
  byId("picture").src = webp("p-" + one.key);
  byId("picture").alt = "picture " + (at + 1);
  byId("help").textContent = second ? "This was asked for:"
    : "Who of these is in the picture? Touch everybody whom you recognise; count the others.";
  byId("prompt").textContent = "“" + one.prompt + "”";
  byId("first").hidden = second;
  byId("second").hidden = !second;
  byId("asked-clothes").hidden = !one.clothes;
  byId("others").textContent = now.others;
  for (const name of ["clothes", "send"])
    for (const button of all("[data-" + name + "]"))
      button.setAttribute("aria-pressed", now[name] === button.dataset[name]);
  showPeople(one);
}

function showPeople(one) {
  byId("people").replaceChildren(...page.families[one.family].map((person) => {
    const button = document.createElement("button");
    button.dataset.letter = person.letter;
    button.disabled = second;
    button.setAttribute("aria-pressed", now.who.includes(person.letter));
    for (const key of person.photos) {
      const image = document.createElement("img");
      image.src = webp(key);
      image.alt = "";
      button.append(image);
    }
    button.append(document.createElement("br"), person.name);
    button.addEventListener("click", () => {
      const there = now.who.includes(person.letter);
      now.who = there ? now.who.filter((x) => x !== person.letter) : [...now.who, person.letter].sort();
      show();
    });
    return button;
  }));
}

function finish() {
  const one = page.pictures[at];
  if (now.send === "" || (one.clothes && now.clothes === "")) { show(); return; }
  answers[one.key] = now;
  keep(STORE + ":" + settings.rater, answers);
  at += 1;
  while (at < page.pictures.length && page.pictures[at].key in answers) at += 1;
  open();
}

const cell = (text) => (/[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);

function csv() {
  const lines = [page.columns.join(",")];
  for (const one of page.pictures) {
    const given = answers[one.key];
    if (!given) continue;
    const row = {rater: settings.rater, key: one.key, who: given.who.join("+"),
      others: given.others, clothes: given.clothes, send: given.send};
    lines.push(page.columns.map((name) => cell(String(row[name]))).join(","));
  }
  return lines.join("\n") + "\n";
}

byId("rater").value = settings.rater;
byId("rater").addEventListener("change", (event) => {
  settings.rater = event.target.value.trim() || "me";
  event.target.value = settings.rater;
  keep(STORE, settings);
  begin();
});
byId("save").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], {type: "text/csv"}));
  link.download = page.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
for (const button of all("[data-others]")) button.addEventListener("click", () => {
  now.others = Math.max(0, Math.min(9, now.others + Number(button.dataset.others)));
  show();
});
byId("next").addEventListener("click", () => { second = true; show(); });
byId("back").addEventListener("click", () => {
  if (!second) at = Math.max(0, at - 1);
  open();
});
for (const name of ["clothes", "send"])
  for (const button of all("[data-" + name + "]"))
    button.addEventListener("click", () => { now[name] = button.dataset[name]; finish(); });
keep(STORE, settings);
begin();
