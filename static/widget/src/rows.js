// Lays a conversation out as rows: what stands below what, which lines belong together, where a day begins.

const TOGETHER = 5 * 60000; // lines of one author within this are one group

/**
 * One row of the log. Rows with the same key are the same row, whatever else changes about it.
 * @typedef {object} Row
 * @property {string} key
 * @property {'visitor' | 'agent' | 'human' | 'system' | 'note' | 'day'} side
 * @property {string} name of the author
 * @property {string} [face] address of the author's picture
 * @property {string} content
 * @property {boolean} rich content is Markdown
 * @property {number} at ms since 1970; 0 = no time is shown
 * @property {import('./conversation.js').Message['citations']} [citations]
 * @property {import('./conversation.js').Message['attachments']} [attachments]
 * @property {'sent' | 'sending' | 'failed'} state
 * @property {string} [problem]
 * @property {string} [id] client_id, of a line not yet confirmed
 * @property {boolean} [seen]
 * @property {boolean} [cont] goes on from the row above
 * @property {boolean} [more] goes on in the row below
 */

/**
 * @param {import('./conversation.js').Conversation} talk
 * @param {import('./outbox.js').Entry[]} pending
 * @param {string} greeting shown first, and only here
 * @param {import('./texts.js').Say} say
 * @returns {Row[]}
 */
export function arrange(talk, pending, greeting, say) {
  /** @type {Row[]} */
  const rows = [];
  const base = { state: /** @type {const} */ ('sent'), rich: false, name: '', at: 0 };
  if (!talk.base) rows.push({ ...base, key: 'greeting', side: 'agent', name: talk.agent() || say(talk.available ? 'agent' : 'human'), content: greeting, rich: true });

  let notes = [...talk.notes];
  const noted = (/** @type {number} */ seq) => {
    for (const n of notes.filter((n) => n.after < seq)) rows.push({ ...base, key: 'n' + n.id, side: 'note', content: n.text || say(n.key, n.value || say('human')) });
    notes = notes.filter((n) => n.after >= seq);
  };
  const mine = talk.messages.findLast((m) => m.author.kind === 'visitor');
  for (const m of talk.messages) {
    noted(m.seq);
    const side = m.author.kind;
    rows.push({
      ...base,
      key: m.client_id || 'm' + m.seq,
      side,
      name: side === 'visitor' ? say('you') : m.author.name || say(side),
      face: m.author.avatar_url,
      content: m.content,
      rich: m.content_type === 'markdown',
      at: Date.parse(m.created_at) || 0,
      citations: m.citations,
      attachments: m.attachments,
      seen: m === mine && m.seq <= talk.seen,
    });
  }
  noted(Infinity);
  for (const e of pending) {
    rows.push({ ...base, key: e.client_id, id: e.client_id, side: 'visitor', name: say('you'), content: e.content, attachments: e.attachments, at: e.at, state: e.failed ? 'failed' : 'sending', problem: e.problem });
  }
  if (talk.draft) rows.push({ ...base, key: 'draft', side: 'agent', name: talk.typing?.name || talk.agent() || say('agent'), content: talk.draft.text, rich: true });
  return group(withDays(rows));
}

/** @param {Row[]} rows */
function group(rows) {
  rows.forEach((row, i) => {
    const above = rows[i - 1];
    if (!above || row.side === 'note' || row.side === 'system' || row.side !== above.side || row.name !== above.name) return;
    if (above.citations?.length || above.state === 'failed' || row.at - above.at > TOGETHER) return;
    row.cont = above.more = true;
  });
  return rows;
}

/** @param {number} at */
const day = (at) => new Date(at).toDateString();

/** @param {Row[]} rows */
function withDays(rows) {
  let last = '';
  return rows.flatMap((row) => {
    if (!row.at || day(row.at) === last) return [row];
    last = day(row.at);
    return [/** @type {Row} */ ({ key: 'd' + last, side: 'day', name: '', content: '', rich: false, at: row.at, state: 'sent' }), row];
  });
}
