// Requests to the widget's HTTP surface. The token travels in a header, never in an address.

/**
 * A refusal by the server, as problem+json says it.
 * @typedef {object} Refusal
 * @property {number} status
 * @property {string} code
 * @property {string} message one sentence for the visitor
 * @property {Record<string, string>} [errors] by field, of a form
 * @property {number} [retry_after_ms]
 */

/**
 * @param {string} url
 * @param {{token?: string, body?: object, signal?: AbortSignal, accept?: string, keepalive?: boolean}} [opt] with body it is a POST; with keepalive it outlives the page
 * @returns {Promise<Response>}
 * @throws {Refusal | TypeError} a refusal, or what fetch throws when nobody answers
 */
export async function request(url, { token, body, signal, accept = 'application/json', keepalive } = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept };
  if (token) headers.authorization = 'Bearer ' + token;
  if (body) headers['content-type'] = 'application/json';
  const res = await fetch(url, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), credentials: 'omit', cache: 'no-store', signal, keepalive });
  if (res.ok) return res;
  const problem = await res.json().catch(() => ({}));
  const after = Number(res.headers.get('retry-after'));
  throw { status: res.status, code: problem.code || '', message: problem.detail || problem.title || '', errors: problem.errors, retry_after_ms: after > 0 ? after * 1000 : undefined };
}

/**
 * Says a client's frame over HTTP, for the transports that only carry frames down.
 * @param {import('./transport.js').Line} line
 * @param {any} frame
 * @returns {Promise<void>} rejects when the frame may not have arrived and the line should be given up
 */
export async function post(line, { type, ...body }) {
  const path = type === 'message' ? 'messages' : type;
  try {
    const res = await request(`${line.url}/${path}`, { token: line.token(), body, signal: AbortSignal.timeout(10000), keepalive: type === 'rating' });
    if (type === 'message') line.frame({ ...(await res.json()), type: 'ack' });
  } catch (err) {
    const refusal = /** @type {Refusal} */ (err);
    // A refusal of the server's has both; what fetch throws may have a code of its own.
    if (!refusal.status || !refusal.code || refusal.status === 401) {
      if (type === 'message') throw err;
      return;
    }
    const { status, ...problem } = refusal;
    line.frame({ ...problem, type: 'error', client_id: body.client_id });
  }
}
