"use strict";
// Pages on which people answer questions about pictures: what the page holds, what the browser keeps
// of a person's answers, and the table that they send back.
const page = JSON.parse(document.getElementById("page").textContent);
const byId = (id) => document.getElementById(id);
const webp = (id) => "data:image/webp;base64," + byId(id).textContent;

// The server that saves, where one gave this page out; "" for a plain file.
const server = (document.querySelector('meta[name="kindred-server"]') || {}).content || "";

function load(key) {
  try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; }
}
function keep(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); byId("unkept").hidden = true; }
  catch { byId("unkept").hidden = !!server; }
}

const cell = (value) => {
  const text = String(value);
  return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
};
// rows: objects with page.columns
const csv = (rows) =>
  [page.columns, ...rows.map((row) => page.columns.map((name) => row[name]))]
    .map((line) => line.map(cell).join(",") + "\n").join("");

function saveAs(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function post(what, body) {
  const answer = await fetch(server + what, {method: "POST", body: JSON.stringify(body)});
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}
function tellSaved(told) {
  const failed = told instanceof Error;
  byId("saved").textContent = failed ? "not saved: " + told.message : "saved";
  byId("saved").title = failed ? "" : told.file;
  byId("saved").dataset.failed = failed ? "1" : "";
}
// Rows that somebody answered before; none without a server.
async function recall(rater) {
  if (!server) return [];
  try {
    const told = await post("decide", {rater});
    tellSaved(told);
    return told.rows;
  } catch (error) { tellSaved(error); return []; }
}
// All rows each time, so that what could not be saved is saved with the next answer.
let sending = Promise.resolve();
function send(rater, rows) {
  if (server) sending = sending.then(() => post("decide", {rater, rows})).then(tellSaved, tellSaved);
}
async function finish() {
  await sending;
  if (byId("saved").dataset.failed) return;
  await post("finish", {});
  document.body.textContent = "Finished. This page can be closed.";
}
for (const one of document.querySelectorAll(".by-file, .by-server"))
  one.hidden = one.classList.contains("by-server") !== !!server;
if (server) byId("finish").addEventListener("click", finish);

// Who answers: another name begins anew with that person's answers.
function askRater(settings, store, begin) {
  byId("rater").value = settings.rater;
  byId("rater").addEventListener("change", (event) => {
    settings.rater = event.target.value.trim() || "me";
    event.target.value = settings.rater;
    keep(store, settings);
    begin();
  });
  keep(store, settings);
  begin();
}
