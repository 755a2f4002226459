// What has been said, and how things stand: the model behind the panel. Messages are kept by seq, each once, in order,
// however often and in whatever order they come.

/** @typedef {{id: string, name: string, size: number, mime: string, url: string}} Attachment */

/**
 * @typedef {object} Message
 * @property {number} seq
 * @property {string} [client_id]
 * @property {{kind: 'visitor' | 'agent' | 'human' | 'system', name: string, avatar_url?: string}} author
 * @property {string} content
 * @property {'text' | 'markdown'} [content_type]
 * @property {{title: string, url?: string, snippet: string}[]} [citations]
 * @property {Attachment[]} [attachments]
 * @property {string} created_at
 */

/**
 * A remark of the widget's own, such as that a person has come. It stands after the message with seq `after`.
 * @typedef {object} Note
 * @property {number} id
 * @property {number} after
 * @property {string} key of the text
 * @property {string} [value]
 * @property {string} [text] instead of key, from the server
 */

export const PAGE = 50; // messages of history to ask for at a time
const TYPING = 30000; // ms after which a typing hint counts for nothing

/** @typedef {ReturnType<typeof createConversation>} Conversation */

/**
 * @param {() => void} changed
 * @param {import('./loader.js').Looks} looks
 */
export function createConversation(changed, looks) {
  /** @type {Map<number, Message>} */
  const bySeq = new Map();
  /** @type {number | undefined} */
  let quiet; // timer that ends a typing hint
  let notes = 0;

  const talk = {
    /** @type {Message[]} in order of seq */
    messages: [],
    /** @type {Note[]} */
    notes: [],
    /** @type {string | null} */
    thread: null,
    base: 0, // history up to here has not been asked for
    cursor: 0, // everything after base up to here is there
    synced: 0, // the thread's last seq when we came: what is later is news
    known: false, // whether the server has told us how things stand
    /** @type {'agent' | 'waiting' | 'human' | 'closed'} */
    handling: 'agent',
    available: looks.available !== false,
    told: false, // that a person will answer what no agent does
    /** @type {{name: string, avatar_url?: string} | null} */
    assignee: null,
    seen: 0, // the other side has read up to here
    /** @type {{kind: string, name: string, avatar_url?: string} | null} */
    typing: null,
    /** @type {{turn: string, next: number, text: string} | null} an answer as it is being written */
    draft: null,

    waited: false, // long enough for what was there when we came
    /** Whether all that was there when we came has arrived. */
    get loaded() {
      return talk.waited || (talk.known && talk.last >= talk.synced);
    },
    /** Stops waiting for it: better a gap than nothing. */
    settle() {
      talk.waited = true;
      changed();
    },
    get last() {
      return talk.messages.at(-1)?.seq || 0;
    },

    /** Starts over on a thread, of which only the newest page is fetched at first. @param {{id: string | null, last_seq: number, handling: any}} thread */
    begin(thread) {
      bySeq.clear();
      Object.assign(talk, { messages: [], notes: [], assignee: null, told: false, seen: 0, typing: null, draft: null });
      talk.base = talk.cursor = Math.max(0, thread.last_seq - PAGE);
      talk.synced = thread.last_seq;
      talk.stand(thread);
    },
    /** @param {{id: string | null, handling: any}} thread */
    stand(thread) {
      talk.thread = thread.id;
      talk.known = true;
      if (thread.handling) talk.handling = thread.handling;
      changed();
    },
    /** @param {Message} m @returns {boolean} whether it is new to us */
    add(m) {
      if (!(m.seq > 0) || bySeq.has(m.seq)) return false;
      bySeq.set(m.seq, m);
      let at = talk.messages.length;
      while (at && talk.messages[at - 1].seq > m.seq) at--;
      talk.messages.splice(at, 0, m);
      while (bySeq.has(talk.cursor + 1)) talk.cursor++;
      if (m === talk.messages.at(-1)) talk.hush(m.author.kind);
      changed();
      return true;
    },
    /** A page of older messages. @param {Message[]} page */
    prepend(page) {
      page.forEach(talk.add);
      talk.base = page.length < PAGE ? 0 : Math.min(...page.map((m) => m.seq)) - 1;
      changed();
    },
    /** @param {string} key @param {string} [value] @param {string} [text] */
    note(key, value, text) {
      talk.notes.push({ id: ++notes, after: talk.last, key, value, text });
      changed();
    },
    /** Nobody is typing any more, or nobody of one side. @param {string} [kind] */
    hush(kind) {
      if (!kind || kind === 'agent') talk.draft = null;
      if (!kind || kind === talk.typing?.kind) {
        clearTimeout(quiet);
        talk.typing = null;
      }
      changed();
    },
    /** @param {{on: boolean, author?: {kind: string, name: string}}} f */
    hint(f) {
      if (!f.on) return talk.hush();
      if (f.author?.kind === 'visitor') return; // ourselves, in another tab
      clearTimeout(quiet);
      quiet = setTimeout(() => talk.hush(), TYPING);
      talk.typing = f.author || { kind: 'agent', name: '' };
      changed();
    },
    /** A piece of an answer; after a lost one the draft stands still until the answer itself comes. @param {{turn_id: string, index: number, content: string}} f */
    delta(f) {
      if (talk.draft?.turn !== f.turn_id) {
        if (f.index > 1) return;
        talk.draft = { turn: f.turn_id, next: f.index, text: '' };
      }
      const d = talk.draft;
      if (f.index !== d.next) return;
      d.next++;
      d.text += f.content;
      changed();
    },
    /** @param {{handling: any, available?: boolean, assignee?: {name: string, avatar_url?: string}}} f */
    status(f) {
      const [was, who] = [talk.handling, talk.assignee?.name];
      talk.handling = f.handling;
      talk.assignee = f.assignee || null;
      if (f.available !== undefined) talk.available = f.available;
      if (talk.available) talk.told = false;
      const name = f.assignee?.name;
      talk.hush();
      if (talk.known && talk.messages.length && (was !== f.handling || (f.handling === 'human' && who && who !== name))) {
        if (f.handling === 'human') talk.note('joined', name);
        else if (f.handling === 'waiting') talk.told || talk.note('asked');
        else if (f.handling === 'closed') talk.note('ended');
        else if (was === 'human') talk.note('back', talk.agent());
      }
      talk.known = true;
      changed();
    },
    /** @param {{seq: number}} f */
    read(f) {
      talk.seen = Math.max(talk.seen, f.seq);
      changed();
    },
    /** The visitor's line has arrived. Where no agent answers and nobody is there, they are told what to expect, once. */
    arrived() {
      if (talk.handling !== 'agent' || talk.available || talk.told) return;
      talk.told = true;
      talk.note('arrived');
    },
    /** The agent's name: of the one that spoke last, else of the one that would. @returns {string | undefined} */
    agent: () => talk.face()?.name || looks.agent_name,
    /** Who of the agents spoke last. */
    face: () => talk.messages.findLast((m) => m.author.kind === 'agent')?.author,
    /** @param {number} after @returns {Message[]} what others said after seq */
    unread: (after) => talk.messages.filter((m) => m.seq > after && m.author.kind !== 'visitor'),
  };
  return talk;
}
