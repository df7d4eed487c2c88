// What lib.dom.d.ts leaves wider than it is on this page. Merged with the browser's own types; never served.

interface ParentNode {
  /** Most elements are HTML; name the type where it is another one. A script looks for markup that its own panel wrote,
   * so the element is there; where it may be missing the script says so, with `?.` or `?? null`. */
  querySelector<E extends Element = HTMLElement>(selectors: string): E;
  querySelectorAll<E extends Element = HTMLElement>(selectors: string): NodeListOf<E>;
}

interface Element {
  closest<E extends Element = HTMLElement>(selectors: string): E | null;
}
