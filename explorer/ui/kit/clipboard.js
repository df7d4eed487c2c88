// Copying text, also where the browser has no clipboard for pages.

/**
 * Copy text; returns whether that worked. Only a secure context has the clipboard, so there is a second way.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.body.appendChild(Object.assign(document.createElement('textarea'), {value: text}));
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    return copied;
  }
}

/**
 * Copy text and say so on the button for a moment.
 * @param {HTMLElement} button
 * @param {string} text
 */
export async function copyFrom(button, text) {
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = (await copyText(text)) ? 'Copied' : 'Not allowed here';
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}
