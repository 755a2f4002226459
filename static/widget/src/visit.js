// A visit: one visitor, one conversation, however many connections it takes. It joins session, connection, conversation
// and outbox, turns frames into what has been said, and knows nothing of how that looks.

import { connect } from './connection.js';
import { createConversation, PAGE } from './conversation.js';
import { request } from './http.js';
import { createOutbox } from './outbox.js';
import { createSession, page } from './session.js';
import { timeOf } from './time.js';

const HICCUP = 2000; // ms without a connection before the visitor is told
const ARRIVAL = 3000; // ms to wait for the history that was promised

/** @typedef {ReturnType<typeof createVisit>} Visit */

/**
 * @param {import('./loader.js').Shell} shell
 * @param {import('./later.js').Later} later
 * @param {() => void} changed
 */
export function createVisit(shell, later, changed) {
  const { store, looks } = shell;
  const url = `${shell.base}/w/${shell.key}`;
  const talk = createConversation(changed, looks);
  const outbox = createOutbox(store, (frame) => wire.send(frame), changed);
  const session = createSession(shell, entered);
  const wire = connect({ url, token: session.token, after: () => talk.cursor, thread: () => talk.thread, enter: session.enter, frame: received, state, later });
  let [started, fresh, moved, fetching, declined, left, reported] = [false, true, 0, false, false, false, location.href];

  const visit = {
    talk,
    outbox,
    up: false,
    lost: false, // for longer than a hiccup
    /** @type {import('./http.js').Refusal | undefined} for good */
    refusal: undefined,
    limit: 4000, // characters in a message
    /** @type {string[]} what the owner asks before the first message */
    questions: [],
    /** @type {Record<string, any> | undefined} what the server knows of the visitor */
    contact: undefined,
    asked: false, // for a person, and not yet answered
    rated: false,
    /** @type {string[]} what the server would like to know while the visitor waits */
    wants: [],
    url,
    token: session.token,

    start() {
      if (started) return;
      started = true;
      void wire.start();
    },
    stop() {
      wire.stop();
      outbox.online(false);
    },
    /** @param {object} proof */
    identify(proof) {
      store.keep();
      session.prove(proof);
      fresh = true; // it may be somebody with a conversation of their own
      if (started) wire.restart();
      else visit.start();
    },
    /** Whether a new visitor is asked for a message to be answered later, because nobody answers now. */
    get closed() {
      return !!looks.offline_form && !left && talk.known && !talk.available && !talk.thread && !talk.last && !outbox.entries().length;
    },
    /** @param {string} text @param {import('./conversation.js').Attachment[]} [attachments] */
    say(text, attachments) {
      store.keep();
      later(); // the answer may have sources
      wander();
      outbox.add(text, attachments?.length ? attachments : undefined);
    },
    /** @param {boolean} on */
    typing: (on) => wire.send({ type: 'typing', on }),
    /** How many messages the visitor has not seen. */
    unread: () => talk.unread(store.get('read') ?? 0).length,
    /** @param {number} seq */
    read(seq) {
      store.set('read', seq);
      wire.send({ type: 'read', seq });
    },
    handoff() {
      store.keep();
      visit.asked = true;
      wire.send({ type: 'handoff' });
      changed();
    },
    /** @param {number} score 1 to 5 @param {string} comment */
    rate(score, comment) {
      visit.rated = true;
      wire.send({ type: 'rating', score, comment: comment || undefined });
    },
    /** @param {Record<string, string>} fields @param {string} [client_id] of the message among them @throws {import('./http.js').Refusal | TypeError} */
    async answer(fields, client_id) {
      store.keep();
      await request(`${url}/form`, { token: session.token(), body: { fields, client_id } });
      if (!fields.message) return;
      left = talk.told = true;
      talk.note('arrived');
    },
    answered() {
      visit.questions = [];
      looks.contact_info_mode = 'none'; // once is enough
      changed();
    },
    /** No more of what the server wanted to know. @param {string} [email] to which the answer goes as well */
    enough(email) {
      visit.wants = [];
      declined = !email;
      if (email) talk.note('noted', email);
      changed();
    },
    /** Fetches the page of history before what is here, if there is one. */
    async older() {
      if (!talk.base || fetching) return;
      fetching = true;
      try {
        const res = await request(`${url}/messages?before_seq=${talk.base + 1}&limit=${PAGE}`, { token: session.token() });
        talk.prepend((await res.json()).messages || []);
      } catch {
        // scrolling up asks again
      }
      fetching = false;
    },
  };

  /** @param {import('./session.js').Answer} answer */
  function entered({ session: s, thread, contact, limits }) {
    if (fresh || !s.resumed || (talk.thread && thread.id !== talk.thread)) {
      talk.begin(thread);
      if (!s.resumed || store.get('read') === undefined) store.set('read', thread.last_seq);
    }
    fresh = false;
    if (thread.last_seq) setTimeout(timeOf, 0, 0, shell.locale); // before its messages are here
    visit.contact = contact;
    visit.limit = limits?.max_message_chars || visit.limit;
    const ask = (looks.contact_info_mode || 'none') !== 'none' && !contact?.identified && !thread.last_seq;
    visit.questions = ask ? (looks.collect || []).filter((field) => !(/** @type {any} */ (contact)?.[field])) : [];
    changed();
  }

  /** @param {boolean} on @param {import('./http.js').Refusal} [refusal] */
  function state(on, refusal) {
    visit.up = on;
    visit.refusal = refusal;
    if (on) {
      visit.lost = false;
      wander();
      setTimeout(talk.settle, ARRIVAL);
    } else {
      talk.hush();
      setTimeout(() => {
        visit.lost = !visit.up;
        if (visit.lost) talk.settle();
      }, HICCUP);
    }
    outbox.online(on);
    changed();
  }

  /** @param {any} f a frame of the server; unknown ones are ignored */
  function received(f) {
    switch (f.type) {
      case 'session':
        return attend(f.thread);
      case 'message':
        outbox.settle(f.client_id);
        return hear(f);
      case 'ack': {
        const sent = outbox.settle(f.client_id);
        return sent && hear({ ...f, author: { kind: 'visitor', name: '' }, content: sent.content, attachments: sent.attachments });
      }
      case 'typing':
        return talk.hint(f);
      case 'delta':
        return talk.delta(f);
      case 'status':
        visit.asked = false;
        if (f.handling !== 'closed') visit.rated = false;
        visit.wants = (!declined && f.ask) || [];
        return talk.status(f);
      case 'read':
        return talk.read(f);
      case 'error':
        return refused(f);
    }
  }

  /** @param {{id: string | null, last_seq: number, handling: string}} thread */
  function attend(thread) {
    if (!talk.thread || !thread.id || thread.id === talk.thread || moved > 2) return talk.stand(thread);
    moved++; // another tab said who the visitor is: their thread is read from its start
    fresh = true;
    wire.restart();
  }

  /** @param {import('./conversation.js').Message} m */
  function hear(m) {
    if (!talk.add(m) || m.seq <= talk.synced) return;
    if (m.author.kind === 'visitor') talk.arrived();
    shell.emit('message', { seq: m.seq, author: m.author, content: m.content, created_at: m.created_at });
  }

  /** @param {any} f */
  function refused(f) {
    if (/^(session_expired|unauthorized|hello_required)$/.test(f.code)) wire.restart();
    else if (f.client_id) outbox.refuse(f);
    else if (visit.asked) talk.note('', '', f.message);
    visit.asked = false;
  }

  /** Tells where the visitor is, when that has changed. */
  function wander() {
    if (reported === location.href || !visit.up) return;
    reported = location.href;
    wire.send({ type: 'page', ...page() });
  }

  return visit;
}
