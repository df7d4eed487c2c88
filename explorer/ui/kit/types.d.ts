// What the page's scripts know about the DOM beyond lib.dom.d.ts, with which this is merged. Never served.

/** The type of a selector's elements, by its last tag: "input[type=file]" finds inputs, "svg g.node" groups, ".rx-note"
 * any HTML. */
type Selected<S extends string> =
  S extends `${string},${string}` ? HTMLElement
  : S extends `${string} ${infer Rest}` ? Selected<Rest>
  : S extends `${infer Tag}${'[' | '.' | ':'}${string}` ? Tagged<Tag>
  : Tagged<S>;
type Tagged<T extends string> =
  T extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[T]
  : T extends keyof SVGElementTagNameMap ? SVGElementTagNameMap[T]
  : HTMLElement;

interface ParentNode {
  /** A script looks for markup that its own panel wrote, so the element is there; where it may be missing, the script
   * says so with `?.` or `?? null`. */
  querySelector<S extends string>(selectors: S): Selected<S>;
  querySelectorAll<S extends string>(selectors: S): NodeListOf<Selected<S>>;
}

interface Element {
  closest<S extends string>(selectors: S): Selected<S> | null;
}

/** Events that listeners wait for come from elements. */
type FromElement<E> = E & {target: HTMLElement};
interface HTMLElement {
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: FromElement<HTMLElementEventMap[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
interface Document {
  addEventListener<K extends keyof DocumentEventMap>(
    type: K,
    listener: (event: FromElement<DocumentEventMap[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
