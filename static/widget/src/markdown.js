// The subset of Markdown that answers are written in: paragraphs, headings (as bold lines), quotes, lists, tables,
// code, bold, italic and links. It builds nodes and never parses HTML; whatever it does not know stays as the text it was.

import { h } from './dom.js';
import { BARE, link, linkify } from './link.js';

// Every repetition is bounded, so that no text, however hostile, takes more than linear time.
const INLINE = new RegExp(
  [
    '(`{1,2})([^`\\n]{1,1000})\\1', // 1, 2: code
    '!?\\[([^\\[\\]\\n]{1,300})\\]\\(((?:[^()\\s]|\\([^()\\s]{0,200}\\)){1,2000})(?:\\s"[^"\\n]{0,200}")?\\)', // 3, 4: link
    '\\*\\*(?=\\S)([^\\n]{1,1000}?)\\*\\*', // 5: bold
    '(?<![\\w*])\\*(?=[^\\s*])([^*\\n]{1,600})(?<!\\s)\\*(?!\\w)', // 6: italic
    '(?<!\\w)_(?=[^\\s_])([^_\\n]{1,600})(?<!\\s)_(?!\\w)', // 7: italic
    `(${BARE})`, // 8: address
  ].join('|'),
  'gi',
);

/**
 * @param {string} text
 * @param {number} [depth] of nesting so far; bounded, like everything here
 * @returns {(Node | string)[]}
 */
function inline(text, depth = 0) {
  if (depth > 4) return [text];
  const out = [];
  let at = 0;
  for (const m of text.matchAll(INLINE)) {
    out.push(text.slice(at, m.index));
    at = m.index + m[0].length;
    const [all, , code, label, url, bold, star, under, bare] = m;
    if (code) out.push(h('code', null, code));
    else if (label) out.push(all[0] === '!' ? label : link(label, url)); // an image would report its reader: only its name stays
    else if (bold) out.push(h('strong', null, ...inline(bold, depth + 1)));
    else if (bare) out.push(link(bare, bare));
    else out.push(h('em', null, ...inline(star || under, depth + 1)));
  }
  out.push(text.slice(at));
  return out;
}

/** Lines of a paragraph; a line break in an answer is meant. @param {string[]} lines */
const broken = (lines) => lines.flatMap((line, i) => (i ? [h('br'), ...inline(line)] : inline(line)));

const ITEM = /^(\s*)(?:[-*+•]|(\d{1,9})[.)])\s+(.*)$/;
const FENCE = /^\s*(```|~~~)/;
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/;
const QUOTE = /^>\s?/;
const ROW = /^\s*\|.*\|\s*$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;

/**
 * A list and the lists inside it, by indentation.
 * @param {string[]} lines the rest of the text; what belongs to the list is taken off its front
 * @param {number} depth
 * @returns {HTMLElement}
 */
function list(lines, depth = 0) {
  const [, indent, number] = /** @type {RegExpMatchArray} */ (lines[0].match(ITEM));
  const el = h(number ? 'ol' : 'ul', { start: number && number !== '1' ? number : null });
  while (lines.length) {
    const m = lines[0].match(ITEM);
    const last = el.lastElementChild;
    if (m && m[1].length > indent.length + 1 && last && depth < 4) last.append(list(lines, depth + 1));
    else if (m && (m[1].length >= indent.length || !depth) && !m[2] === !number) {
      el.append(h('li', null, ...inline(m[3])));
      lines.shift();
    } else if (!m && last && /^\s{2,}\S/.test(lines[0])) {
      last.append(h('br'), ...inline(lines[0].trim()));
      lines.shift();
    } else if (!lines[0].trim() && ITEM.test(lines[1] || '')) lines.shift(); // a loose list
    else break;
  }
  return el;
}

/** @param {string[]} lines at a fence; its block is taken off the front */
function fenced(lines) {
  const [, mark] = /** @type {RegExpMatchArray} */ (/** @type {string} */ (lines.shift()).match(FENCE));
  const body = [];
  while (lines.length && !lines[0].trim().startsWith(mark)) body.push(lines.shift());
  lines.shift();
  return h('pre', { tabindex: '0' }, h('code', null, body.join('\n')));
}

/** @param {string[]} rows the first is the head when a ruler follows */
function table(rows) {
  const headed = /^[\s|:-]+$/.test(rows[1] || '');
  const cells = (/** @type {string} */ row, /** @type {string} */ tag) => row.trim().slice(1, -1).split('|').map((cell) => h(tag, null, ...inline(cell.trim())));
  const lines = rows.map((row, i) => (headed && i === 1 ? null : h('tr', null, ...cells(row, headed && !i ? 'th' : 'td'))));
  return h('table', { tabindex: '0' }, ...lines);
}

/**
 * @param {string} text
 * @returns {Node[]}
 */
export function markdown(text) {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const out = [];
  const starts = (/** @type {string} */ l) => !l.trim() || FENCE.test(l) || HEADING.test(l) || QUOTE.test(l) || ITEM.test(l) || RULE.test(l) || ROW.test(l);
  while (lines.length) {
    const line = lines[0];
    const heading = line.match(HEADING);
    if (!line.trim()) lines.shift();
    else if (FENCE.test(line)) out.push(fenced(lines));
    else if (RULE.test(line)) out.push(h('hr', lines.shift() && null));
    else if (heading) out.push(h('p', lines.shift() && null, h('strong', null, ...inline(heading[1]))));
    else if (ITEM.test(line)) out.push(list(lines));
    else if (ROW.test(line)) out.push(table(take(lines, (l) => ROW.test(l))));
    else if (QUOTE.test(line)) out.push(h('blockquote', null, ...broken(take(lines, (l) => QUOTE.test(l)).map((l) => l.replace(QUOTE, '')))));
    else out.push(h('p', null, ...broken([/** @type {string} */ (lines.shift()), ...take(lines, (l) => !starts(l))])));
  }
  return out;
}

/** @param {string[]} lines @param {(line: string) => boolean} belongs */
function take(lines, belongs) {
  let n = 0;
  while (n < lines.length && belongs(lines[n])) n++;
  return lines.splice(0, n);
}

/**
 * Text that was written plain: its line breaks are kept by the style sheet.
 * @param {string} text
 * @returns {Node[]}
 */
export const plain = (text) => [h('p.plain', null, ...linkify(text))];
