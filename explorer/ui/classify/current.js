// What every question of this tab is about. The photo's panel knows it; the other panels read it here.

/**
 * @typedef {object} Current
 * @property {string} session what the page calls itself
 * @property {string} variant name of the network
 * @property {string} device
 * @property {string} network query of the builder's network, which says of a model file what its weights do not
 * @property {number} maxBytes of a photo
 * @property {string | null} token of the photo that is shown
 */
/** @type {() => Current} */
let read = () => ({session: '', variant: '', device: 'auto', network: '', maxBytes: 0, token: null});

/** @returns {Current} */
export const current = () => read();

/** The photo's panel is there. @param {() => Current} reader */
export function provide(reader) {
  read = reader;
}

/** What says which network answers, and where. */
export function chosenNetwork() {
  const {variant, device, network} = read();
  return {variant, device, network};
}
