// The visitor's session with the server: who they are to it, where they came from, and the token that stands for it.

import { request } from './http.js';
import { timezone } from './time.js';

const CAMPAIGN = /^(utm_\w+|gclid|fbclid|msclkid|ttclid|li_fat_id)$/;

/** Where the visitor is. */
export const page = () => ({ url: location.href, title: document.title.slice(0, 300) });

function attribution() {
  return Object.fromEntries([...new URLSearchParams(location.search)].filter(([k]) => CAMPAIGN.test(k)));
}

/**
 * @typedef {object} Answer
 * @property {{id: string, token: string, resumed: boolean}} session
 * @property {{id: string | null, last_seq: number, handling: string}} thread
 * @property {{name?: string, email?: string, phone?: string, identified?: boolean}} contact
 * @property {{max_message_chars: number}} limits
 */

/**
 * @param {import('./loader.js').Shell} shell
 * @param {(answer: Answer) => void} entered
 */
export function createSession(shell, entered) {
  const { store } = shell;
  /** @type {object | undefined} */
  let identity;

  async function ask(/** @type {object | undefined} */ proof) {
    const body = {
      token: store.get('token'),
      identity: proof,
      page: { ...page(), referrer: document.referrer },
      attribution: attribution(),
      locale: shell.locale,
      timezone: timezone(),
    };
    return request(`${shell.base}/w/${shell.key}/session`, { body, signal: AbortSignal.timeout(10000) });
  }

  return {
    token: () => store.get('token') || '',
    /** The proof to show next time; it is good for a minute only, so it is shown once. @param {object} proof */
    prove: (proof) => (identity = proof),
    /** @throws {import('./http.js').Refusal | TypeError} */
    async enter() {
      const proof = identity;
      const res = await ask(proof).catch((err) => {
        if (!proof || err.code !== 'identity_invalid') throw err;
        console.warn('Parley: identify() was refused: ' + err.message);
        return ask(undefined); // the visitor may still chat, unknown
      });
      if (identity === proof) identity = undefined;
      /** @type {Answer} */
      const answer = await res.json();
      store.set('token', answer.session.token);
      entered(answer);
    },
  };
}
