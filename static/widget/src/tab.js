// What this tab remembers from page to page: words not yet sent, and whether the chat is open. Where the browser blocks
// storage it remembers nothing.

/** @param {string} widget key */
export function openTab(widget) {
  const key = (/** @type {string} */ name) => `parley:${widget}:${name}`;
  return {
    /** @param {string} name @returns {string} */
    get(name) {
      try {
        return sessionStorage.getItem(key(name)) || '';
      } catch {
        return '';
      }
    },
    /** Keeps a value; an empty one is forgotten. @param {string} name @param {string} value */
    set(name, value) {
      try {
        if (value) sessionStorage.setItem(key(name), value);
        else sessionStorage.removeItem(key(name));
      } catch {
        // blocked or full
      }
    },
  };
}
