// Pictures: fetched and drawn rather than linked, because the page's policy may allow no images, and it need not.

/**
 * Draws a picture, no larger than it can be seen.
 * @param {HTMLCanvasElement} canvas
 * @param {string | Blob} source an address of the server's, or the picture itself
 * @param {number} most px of the longer side
 * @returns {Promise<void>} rejects when there is no picture to be had
 */
export async function paint(canvas, source, most) {
  const blob = typeof source === 'string' ? await (await fetch(source, { credentials: 'omit' })).blob() : source;
  const bitmap = await createImageBitmap(blob);
  const scale = Math.min(1, most / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, bitmap.width * scale);
  canvas.height = Math.max(1, bitmap.height * scale);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
}
