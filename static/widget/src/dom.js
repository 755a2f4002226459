// Building elements. Everything a stranger wrote goes in as a text node or an attribute value, never as markup.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element.
 * @param {string} tag name and classes, as in `button.icon`
 * @param {Record<string, any>} [props] attributes; `on…` are listeners; null, undefined and false are left out
 * @param {...(Node | string | null | undefined | false)} kids
 * @returns {any}
 */
export function h(tag, props, ...kids) {
  const [name, ...classes] = tag.split('.');
  const el = document.createElement(name);
  if (classes.length) el.className = classes.join(' ');
  for (const [k, v] of Object.entries(props || {})) {
    if (k.startsWith('on')) el.addEventListener(k.slice(2), v);
    else attr(el, k, v);
  }
  el.append(...kids.filter((kid) => kid || kid === ''));
  return el;
}

/**
 * Sets an attribute, or takes it away when the value is null, undefined or false.
 * @param {Element} el
 * @param {string} name
 * @param {any} value
 */
export function attr(el, name, value) {
  if (value == null || value === false) el.removeAttribute(name);
  else el.setAttribute(name, value === true ? '' : value);
}

/**
 * A line drawing on a 24 by 24 grid, hidden from assistive technology.
 * @param {string} d path data
 * @param {string} [cls]
 * @returns {SVGElement}
 */
export function icon(d, cls = '') {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [k, v] of [['viewBox', '0 0 24 24'], ['aria-hidden', 'true'], ['class', 'icon ' + cls]]) svg.setAttribute(k, v);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', d);
  svg.append(path);
  return svg;
}

/** Lets whatever else waits have its turn, so that no task grows long. */
export const pause = () => new Promise((done) => setTimeout(done));

/** Lets the browser paint first; where it does not, because nobody looks, goes on soon all the same. */
export const painted = () => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(done));
  setTimeout(done, 100);
});

/**
 * Adopts a style sheet made from text, which no Content-Security-Policy forbids.
 * @param {ShadowRoot} root
 * @param {string} css
 * @returns {CSSStyleSheet}
 */
export function adopt(root, css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return sheet;
}
