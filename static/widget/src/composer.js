// Where the visitor writes.

import { attr, h, icon } from './dom.js';
import { CLIP, SEND } from './icons.js';

const NEAR = 200; // characters before the limit at which it is shown
const ROWS = 6; // lines to grow to where the browser does not do it by itself

/**
 * @param {import('./texts.js').Say} say
 * @param {{send: (text: string) => void, typed: (empty: boolean) => void, files: (files: Iterable<File>) => void}} act
 * @param {string[] | undefined} accept kinds of files that can be sent too, if any
 */
export function createComposer(say, act, accept) {
  let limit = 4000;
  /** @type {import('./panel.js').Tray | undefined} */
  let tray;
  const count = h('span.count', { 'aria-live': 'polite' });
  const text = h('textarea', { rows: '1', placeholder: say('write'), 'aria-label': say('write'), enterkeyhint: 'send', autocomplete: 'off', oninput, onkeydown });
  const button = h('button.send', { type: 'submit', 'aria-label': say('send'), disabled: true }, icon(SEND));
  const pick = accept && h('input', { type: 'file', multiple: true, hidden: true, accept: accept.join(), onchange: () => pickUp(pick.files) });
  const clip = accept && h('button.clip', { type: 'button', 'aria-label': say('attach'), title: say('attach'), onclick: () => pick.click() }, icon(CLIP));
  const form = h('form.composer', { onsubmit, onpaste }, text, pick, clip, button, count);
  const grows = CSS.supports('field-sizing', 'content');

  function check() {
    const chars = [...text.value.trim()].length;
    const left = limit - chars;
    count.textContent = left < 0 ? say('over', -left) : left < NEAR ? say('left', left) : '';
    count.classList.toggle('over', left < 0);
    attr(text, 'dir', text.value ? 'auto' : null); // an empty one is as its panel
    attr(text, 'aria-invalid', left < 0 && 'true');
    button.disabled = !(chars || tray?.ready()) || left < 0 || !!tray?.busy();
    if (grows) return;
    for (text.rows = 1; text.rows < ROWS && text.scrollHeight > text.clientHeight; ) text.rows++;
  }
  function oninput() {
    check();
    act.typed(!text.value.trim());
  }
  /** @param {FileList} files */
  function pickUp(files) {
    act.files([...files]);
    pick.value = ''; // the same file may be chosen again
    text.focus();
  }
  /** @param {ClipboardEvent} e */
  function onpaste(e) {
    const files = [...(e.clipboardData?.files || [])];
    if (!accept || !files.length || e.clipboardData?.types.includes('text/plain')) return; // a word processor adds a picture of the words
    e.preventDefault();
    act.files(files);
  }
  /** @param {Event} e */
  function onsubmit(e) {
    e.preventDefault();
    check();
    if (button.disabled) return;
    const words = text.value.trim();
    text.value = '';
    check();
    text.focus();
    act.send(words);
  }
  /** @param {KeyboardEvent} e */
  function onkeydown(e) {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing && e.keyCode !== 229) onsubmit(e); // 229: Safari's last key of a composition
  }

  return {
    node: form,
    check,
    /** @param {import('./panel.js').Tray} next */
    carry(next) {
      tray = next;
      form.prepend(tray.node);
      check();
    },
    focus: () => text.focus({ preventScroll: true }),
    get value() {
      return text.value;
    },
    set value(words) {
      text.value = words;
      check();
    },
    /** @param {number} chars */
    limit(chars) {
      if (chars === limit) return;
      limit = chars;
      check();
    },
  };
}
