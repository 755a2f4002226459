// Where the visitor writes.

import { attr, h, icon } from './dom.js';
import { SEND } from './icons.js';

const NEAR = 200; // characters before the limit at which it is shown
const ROWS = 6; // lines to grow to where the browser does not do it by itself

/**
 * @param {import('./texts.js').Say} say
 * @param {{send: (text: string) => void, typed: (empty: boolean) => void}} act
 */
export function createComposer(say, act) {
  let limit = 4000;
  const count = h('span.count', { 'aria-live': 'polite' });
  const text = h('textarea', { rows: '1', placeholder: say('write'), 'aria-label': say('write'), enterkeyhint: 'send', autocomplete: 'off', dir: 'auto', oninput, onkeydown });
  const button = h('button.send', { type: 'submit', 'aria-label': say('send'), disabled: true }, icon(SEND));
  const form = h('form.composer', { onsubmit }, text, button, count);
  const grows = CSS.supports('field-sizing', 'content');

  function check() {
    const chars = [...text.value.trim()].length;
    const left = limit - chars;
    count.textContent = left < 0 ? say('over', -left) : left < NEAR ? say('left', left) : '';
    count.classList.toggle('over', left < 0);
    attr(text, 'aria-invalid', left < 0 && 'true');
    button.disabled = !chars || left < 0;
    if (grows) return;
    for (text.rows = 1; text.rows < ROWS && text.scrollHeight > text.clientHeight; ) text.rows++;
  }
  function oninput() {
    check();
    act.typed(!text.value.trim());
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
