// A few questions in a row: what an owner asks before the first message, a message while nobody is there, an address to answer to.

import { attr, h } from './dom.js';

/** What browsers call a field, as type and for filling it in. @param {string} name */
const called = (name) => (name === 'phone' ? 'tel' : name);

let forms = 0;

/**
 * @typedef {object} Field
 * @property {string} name name, email, phone or message
 * @property {boolean} required
 */

/**
 * @param {import('./texts.js').Say} say
 * @param {object} opt
 * @param {string} opt.title
 * @param {string} [opt.lead] what more there is to say before the questions
 * @param {string} [opt.go] what the button says
 * @param {Field[]} opt.fields
 * @param {(fields: Record<string, string>) => Promise<void>} opt.submit rejects with a Refusal
 * @param {() => void} [opt.skip] where the questions need no answer
 * @returns {HTMLFormElement}
 */
export function createForm(say, { title, lead, go, fields, submit, skip }) {
  const id = 'form' + ++forms;
  const problem = h('p.problem', { role: 'alert' });
  const rows = fields.map(({ name, required }) => {
    const wrong = h('small.problem', { id: `${id}-${name}` });
    const input = h(name === 'message' ? 'textarea' : 'input', {
      name,
      type: name === 'message' ? null : called(name),
      autocomplete: name === 'message' ? 'off' : called(name),
      required,
      oninput: () => attr(input, 'dir', input.value ? 'auto' : null), // an empty one is as its panel
      rows: name === 'message' && '3',
      maxlength: name === 'message' ? '4000' : '200',
      'aria-describedby': wrong.id,
    });
    return { name, input, wrong, label: h('label', null, h('span', null, say(name)), input, wrong) };
  });
  const button = h('button.primary', { type: 'submit' }, go || say('start'));

  /** @param {any} [refusal] */
  function complain(refusal) {
    const errors = refusal?.errors || {};
    for (const { name, input, wrong } of rows) {
      wrong.textContent = errors[name] || '';
      attr(input, 'aria-invalid', errors[name] && 'true');
    }
    const first = rows.find(({ name }) => errors[name]);
    problem.textContent = refusal && !first ? refusal.status ? refusal.message || say('unsaved') : say('unsaved') : '';
    first?.input.focus();
  }
  /** @param {Event} e */
  async function onsubmit(e) {
    e.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    try {
      await submit(Object.fromEntries(rows.map(({ name, input }) => [name, input.value.trim()]).filter(([, value]) => value)));
    } catch (err) {
      button.disabled = false;
      complain(err);
    }
  }
  return h(
    'form.card',
    { onsubmit, 'aria-labelledby': id },
    h('b', { id }, title),
    lead && h('p', null, lead),
    ...rows.map((row) => row.label),
    problem,
    h('div.buttons', null, button, skip && h('button.quiet', { type: 'button', onclick: skip }, say('skip'))),
  );
}
