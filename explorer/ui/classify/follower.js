// A part of a panel that follows what is chosen.

/**
 * Ask for what is wanted now, one question at a time; what was answered about something chosen before is never shown.
 * The result asks if there is something new to ask; ``forget`` makes it ask the same again.
 * @param {() => object | null | false} want the request, or nothing while none can be made
 * @param {(request: object) => Promise<any>} ask
 * @param {(answer: any) => void} show
 */
export function follower(want, ask, show) {
  /** @type {string | null} */
  let shown = null;
  let isAsking = false;
  async function follow() {
    const request = want(),
      key = JSON.stringify(request);
    if (!request || isAsking || key === shown) return;
    isAsking = true;
    const answer = await ask(request);
    isAsking = false;
    if (JSON.stringify(want()) !== key) {
      follow();
      return;
    }
    shown = answer.error ? null : key;
    show(answer);
  }
  return Object.assign(follow, {
    forget: () => {
      shown = null;
    },
  });
}
