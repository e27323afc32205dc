"use strict";
// Pages on which people answer questions about pictures: what the page holds, what the browser keeps
// of a person's answers, and the table that they send back.
const page = JSON.parse(document.getElementById("page").textContent);
const byId = (id) => document.getElementById(id);
const webp = (id) => "data:image/webp;base64," + byId(id).textContent;

function load(key) {
  try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; }
}
function keep(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); byId("unkept").hidden = true; }
  catch { byId("unkept").hidden = false; }
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
