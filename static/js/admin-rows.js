/* Rows of a content form: adds them, and gives them another place. Without it there are blank rows and a number. */

const SHOWN_AT_FIRST = 2;

function rowsOf(set) {
  return [...set.querySelector(":scope > .rows__list").children].filter((child) => child.matches(".row"));
}

function number(set) {
  rowsOf(set).forEach((row, index) => {
    const place = row.querySelector(":scope > .row__head .rows__place");
    place.value = index + 1;
  });
}

function add(set) {
  const template = set.querySelector(":scope > template");
  const total = set.querySelector(':scope > input[name$="-TOTAL_FORMS"]');
  const pattern = document.createElement("template");
  pattern.innerHTML = template.innerHTML.replaceAll(set.dataset.placeholder, total.value);
  total.value = Number(total.value) + 1;
  const row = pattern.content.querySelector(".row");
  set.querySelector(":scope > .rows__list").append(row);
  row.querySelectorAll('[data-component="rows"]').forEach(start);
  number(set);
  return row;
}

function move(set, row, step) {
  const rows = rowsOf(set);
  const other = rows[rows.indexOf(row) + step];
  if (!other) return;
  if (step < 0) other.before(row);
  else other.after(row);
  number(set);
}

function start(set) {
  const button = set.querySelector(":scope > .rows__add");
  set.dataset.enhanced = "";
  button.hidden = false;
  button.addEventListener("click", () => {
    add(set).querySelector("input:not([type=hidden], .rows__place), textarea, select")?.focus();
    set.dispatchEvent(new Event("input", { bubbles: true }));
  });
  set.addEventListener("click", (event) => {
    const mover = event.target.closest("[data-move]");
    if (!mover || mover.closest('[data-component="rows"]') !== set) return;
    move(set, mover.closest(".row"), Number(mover.dataset.move));
    mover.focus();
    set.dispatchEvent(new Event("input", { bubbles: true }));
  });
  // A question without options begins with room for some; a film without captions is complete.
  if (set.parentElement.closest('[data-component="rows"]') && !rowsOf(set).length) {
    for (let count = 0; count < SHOWN_AT_FIRST; count += 1) add(set);
  }
}

document.querySelectorAll('[data-component="rows"]').forEach((set) => {
  if (!("enhanced" in set.dataset)) start(set);
});
