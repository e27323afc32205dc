const all = (selector) => [...document.querySelectorAll(selector)];
const STORE = "kindred-who:" + page.id;

const settings = Object.assign({rater: "me"}, load(STORE));
let answers = {}, at = 0, now = null, second = false;

async function begin() {
  const rater = settings.rater, before = await recall(rater);
  if (rater !== settings.rater) return;
  answers = {};
  for (const row of before) answers[row.key] = {who: row.who ? row.who.split("+") : [],
    others: +row.others, clothes: row.clothes, send: row.send};
  Object.assign(answers, load(STORE + ":" + rater));
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
    : "Who of these is in the picture? Press everybody whom you recognise, and count the others.";
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

function answer() {
  const one = page.pictures[at];
  if (now.send === "" || (one.clothes && now.clothes === "")) { show(); return; }
  answers[one.key] = now;
  keep(STORE + ":" + settings.rater, answers);
  send(settings.rater, rows());
  at += 1;
  while (at < page.pictures.length && page.pictures[at].key in answers) at += 1;
  open();
}

function rows() {
  return page.pictures.flatMap(({key}) => answers[key] ? [{...answers[key], key,
    rater: settings.rater, who: answers[key].who.join("+")}] : []);
}

byId("save").addEventListener("click", () => saveAs(page.file, csv(rows())));
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
    button.addEventListener("click", () => { now[name] = button.dataset[name]; answer(); });
askRater(settings, STORE, begin);
