/* Goes with django-mptt's script for the tree: keeps its keys away from the links and buttons of a row. */

document.querySelectorAll("#result_list tbody :is(a, button)").forEach((control) => {
  // On a row, Enter opens the module; on a control it must do what the control says.
  control.addEventListener("keydown", (event) => event.stopPropagation());
});

// django-mptt puts the focus on the first row, past all that stands above it. It belongs at the beginning of the page, and
// after a move by button on that button again. Its own jQuery calls in the order of asking, so this comes after that.
django.jQuery(() => {
  if (document.activeElement.matches("#result_list tr")) document.activeElement.blur();
  if (location.hash.startsWith("#nudge-")) document.getElementById(location.hash.slice(1))?.focus();
});
