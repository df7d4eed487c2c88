// Which points of a chart along depth belong to what is selected in the diagram: pure functions.

/**
 * Whether a layer's path belongs to a box of the diagram: its own layers, those below it, or those of a run's blocks.
 * @param {string} id
 * @returns {(path: string) => boolean}
 */
export function belongs(id) {
  const name = id.split(':')[0],
    run = name.match(/^(.+\.)(\d+)-(\d+)$/);
  if (!run) return path => path === name || path.startsWith(name + '.');
  const [, stage, first, last] = run,
    number = path => Number(path.slice(stage.length).split('.')[0]);
  return path => path.startsWith(stage) && number(path) >= Number(first) && number(path) <= Number(last);
}

/**
 * A band behind the points of what is selected, as shapes of a layout; if it has no points, of the block around it.
 * @param {any[]} data traces whose customdata contains the layers' paths
 * @param {string | null} selected
 * @param {string} fillcolor
 */
export function marksOf(data, selected, fillcolor) {
  if (!selected) return [];
  const points = data.flatMap(({customdata, x}) =>
    Array.isArray(customdata) ? customdata.map((path, i) => ({path, at: x[i]})) : [],
  );
  const within = id =>
    points
      .filter(({path, at}) => typeof path === 'string' && typeof at === 'number' && belongs(id)(path))
      .map(({at}) => at);
  const own = within(selected),
    block = selected.match(/^layer\d+\.\d+/)?.[0];
  const places = own.length || !block ? own : within(block);
  if (!places.length) return [];
  return [
    {
      type: 'rect',
      name: 'selected',
      xref: 'x',
      yref: 'paper',
      y0: 0,
      y1: 1,
      x0: Math.min(...places) - 0.5,
      x1: Math.max(...places) + 0.5,
      fillcolor,
      opacity: 0.14,
      line: {width: 0},
      layer: 'below',
    },
  ];
}
