// What the visitor is asked, as cards above or in place of the composer: which one, what it says and what becomes of the answer.

import { createForm } from './form.js';
import { uuid } from './outbox.js';
import { createRating } from './rating.js';
import { when } from './time.js';

/**
 * @param {object} opt
 * @param {import('./visit.js').Visit} opt.visit
 * @param {import('./loader.js').Looks} opt.looks
 * @param {import('./texts.js').Say} opt.say
 * @param {string} opt.locale
 * @param {() => void} opt.done takes the focus, which goes with the card
 * @param {() => void} opt.render
 * @param {import('./panel.js').View['wants']} what
 * @returns {HTMLElement}
 */
export function createCard({ visit, looks, say, locale, done, render }, what) {
  /** @param {() => void} act */
  const finish = (act) => {
    act();
    render();
    done();
  };
  if (what === 'rating') return createRating(say, visit.rate, done);
  const required = looks.contact_info_mode === 'required';
  if (what === 'form') {
    const skip = () => finish(visit.answered);
    return createForm(say, {
      title: say('intro'),
      fields: visit.questions.map((name) => ({ name, required })),
      skip: required ? undefined : skip,
      submit: async (fields) => {
        if (Object.keys(fields).length) await visit.answer(fields);
        skip();
      },
    });
  }
  if (what === 'reach') {
    return createForm(say, {
      title: say('reach'),
      lead: say('reaching'),
      fields: [{ name: 'email', required: true }],
      skip: () => finish(visit.enough),
      submit: async (fields) => {
        await visit.answer(fields);
        finish(() => visit.enough(fields.email));
      },
    });
  }
  const id = uuid();
  const back = when(looks.opens_at, locale);
  const card = createForm(say, {
    title: say('leave'),
    lead: say('leaving') + (back && ' ' + say('opens', back) + '.'),
    go: say('send'),
    fields: [{ name: 'name', required: false }, { name: 'email', required: true }, { name: 'message', required: true }].filter((f) => !visit.contact?.[f.name]),
    submit: async (fields) => {
      await visit.answer(fields, id);
      card.reset();
      finish(visit.answered);
    },
  });
  return card;
}
