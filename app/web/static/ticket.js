"use strict";

// The ticket of the mini-program stands behind #, so that no server and no log ever sees it in an address. It is taken
// out of the address before anything else, so that going back does not show a ticket that is spent.
const comesBy = document.querySelector("form[data-ticket]");
const ticket = window.location.hash.slice(1);
if (comesBy && /^[A-Za-z0-9_-]{43}$/.test(ticket)) {
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  comesBy.elements.namedItem("ticket").value = ticket;
  document.querySelector("[data-no-ticket]").hidden = true;
  comesBy.hidden = false;
  comesBy.requestSubmit();
}
