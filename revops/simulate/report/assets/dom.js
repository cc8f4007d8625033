"use strict";

// An element with `parts` in it, strings as text; `traits` are attributes, but for functions,
// which listen. Whatever a string says, it becomes no markup.
function make(tag, traits = {}, ...parts) {
  const element = document.createElement(tag);
  for (const [name, trait] of Object.entries(traits)) {
    if (typeof trait === "function") element.addEventListener(name, trait);
    else if (trait !== undefined && trait !== false) element.setAttribute(name, trait === true ? "" : trait);
  }
  element.append(...parts.filter((part) => part !== undefined && part !== ""));
  return element;
}

let lastId = 0;
function freshId() {
  lastId += 1;
  return `id-${lastId}`;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
