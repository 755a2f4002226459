// The few questions an owner may ask before the first message.

import { h } from './dom.js';

/** What browsers call a field, as type and for filling it in. @param {string} name */
const called = (name) => (name === 'phone' ? 'tel' : name);

/**
 * @param {import('./texts.js').Say} say
 * @param {{fields: string[], required: boolean, submit: (fields: Record<string, string>) => Promise<void>, done: () => void}} opt submit rejects with a Refusal
 * @returns {HTMLFormElement}
 */
export function createForm(say, { fields, required, submit, done }) {
  const problem = h('p.problem', { role: 'alert' });
  const inputs = fields.map((name) => h('input', { name, type: called(name), autocomplete: called(name), required, maxlength: '200' }));
  const go = h('button.primary', { type: 'submit' }, say('start'));
  const skip = !required && h('button.quiet', { type: 'button', onclick: done }, say('skip'));

  /** @param {Event} e */
  async function onsubmit(e) {
    e.preventDefault();
    const filled = Object.fromEntries(inputs.map((i) => [i.name, i.value.trim()]).filter(([, value]) => value));
    go.disabled = true;
    try {
      await submit(filled);
      done();
    } catch (err) {
      problem.textContent = /** @type {any} */ (err).message || say('unsaved');
    }
    go.disabled = false;
  }
  const labels = inputs.map((input) => h('label', null, h('span', null, say(input.name)), input));
  return h('form.card', { onsubmit }, h('b', null, say('intro')), ...labels, problem, h('div.buttons', null, go, skip));
}
