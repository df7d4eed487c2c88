// What the page's scripts know about the DOM beyond lib.dom.d.ts, with which this is merged. Never served.

/** The type of a selector's elements, by its last tag: "input[type=file]" finds inputs, "svg g.node" groups, "path,
 * ellipse" one of the two, ".rx-note" any HTML. What is in parentheses, as in ":is(.a, .b)", names no tag. */
type Selected<S extends string> =
  S extends `${infer Head}(${string})${infer Tail}` ? Selected<`${Head}${Tail}`>
  : S extends `${infer First}, ${infer Rest}` ? Selected<First> | Selected<Rest>
  : S extends `${string} ${infer Rest}` ? Selected<Rest>
  : S extends `${infer Tag}${'[' | '.' | ':' | '#'}${string}` ? Selected<Tag>
  : Tagged<S>;
type Tagged<T extends string> =
  T extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[T]
  : T extends keyof SVGElementTagNameMap ? SVGElementTagNameMap[T]
  : HTMLElement;

interface ParentNode {
  /** A script looks for markup that its own panel wrote, so the element exists. If it may be missing, the script says
   * so with `?.` or with a type that includes null. */
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

/** What the scripts use of plotly.js, which sets `window.Plotly`. */
interface Plotly {
  react(plot: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
  purge(plot: HTMLElement): void;
  Plots: {resize(plot: HTMLElement): void};
}
/** An element that plotly.js has drawn in. */
type PlotElement = HTMLElement & {on(event: string, listener: (event: any) => void): void};
interface Window {
  Plotly: Plotly;
}
