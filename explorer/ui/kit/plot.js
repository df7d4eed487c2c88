// A chart: its figure is the component's value, as JSON. Plotly.react keeps zoom and the legend's choices while the
// figure's uirevision stays. Drawn when it is looked at; the first one drawn fetches plotly.js for all.
const figure = element.querySelector('.rx-chart'), plot = figure.querySelector('.rx-plot');
// Nothing is sent anywhere: by default plotly.js has a button that hands the figure to its makers' server.
const CONFIG = {
  displaylogo: false, showSendToCloud: false, plotlyServerURL: '', showTips: false, responsive: false,
  modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'],
};
let drawn = '', stale = true, seen = false, drawing = false, listening = false;
let selected = new URLSearchParams(location.search).get('at');

function fetchPlotly() {
  return window.explorerPlotly ??= new Promise((done, fail) => {
    const source = location.pathname.replace(/\/?$/, '/') + SOURCE;  // named by ui/plots.py
    const tag = Object.assign(document.createElement('script'), {src: source, onload: () => done(window.Plotly)});
    tag.onerror = () => { window.explorerPlotly = null; tag.remove(); fail(new Error('no script')); };
    document.head.append(tag);
  });
}

// Letters and the box that hovers take the page's colours; lines have the same in both modes.
function coloured({data, layout}) {
  const style = getComputedStyle(element), colour = name => style.getPropertyValue(`--rx-${name}`).trim();
  const box = {bgcolor: colour('text'), bordercolor: colour('text'), font: {...layout.hoverlabel?.font, color: colour('page')}};
  const notes = (layout.annotations ?? []).map(note => ({...note, font: {...note.font, color: colour('muted')}}));
  const font = {...layout.font, color: colour('muted')};
  const modebar = {...layout.modebar, color: colour('muted'), activecolor: colour('text')};
  return {data, layout: {...layout, font, modebar, hoverlabel: {...layout.hoverlabel, ...box}, annotations: notes, autosize: true, height: undefined, width: undefined}};
}

// What stands for a selected box: its own layers; those of a run's blocks; else those of the block it is in.
function belongs(id) {
  const name = id.split(':')[0], run = name.match(/^(.+\.)(\d+)-(\d+)$/);
  if (run) return path => path.startsWith(run[1]) && +path.slice(run[1].length).split('.')[0] >= +run[2] && +path.slice(run[1].length).split('.')[0] <= +run[3];
  return path => path === name || path.startsWith(name + '.');
}

function marks(data) {
  if (!selected) return [];
  const points = data.flatMap(trace => (Array.isArray(trace.customdata) ? trace.customdata.map((path, i) => [path, trace.x[i]]) : []));
  const block = selected.match(/^layer\d+\.\d+/)?.[0];
  const within = id => points.filter(([path, x]) => typeof path === 'string' && typeof x === 'number' && belongs(id)(path)).map(([, x]) => x);
  let places = within(selected);
  if (!places.length && block) places = within(block);
  if (!places.length) return [];
  const fillcolor = getComputedStyle(element).getPropertyValue('--rx-identity').trim();
  return [{type: 'rect', name: 'selected', xref: 'x', yref: 'paper', x0: Math.min(...places) - .5, x1: Math.max(...places) + .5, y0: 0, y1: 1,
    fillcolor, opacity: .14, line: {width: 0}, layer: 'below'}];
}

async function draw() {
  const value = props.value ?? '';
  figure.classList.toggle('filled', Boolean(value));
  if (!seen || drawing || !(stale || value !== drawn)) return;
  drawing = true;
  try {
    if (value) await show(value);
    else if (drawn) { window.Plotly.purge(plot); listening = false; }
    drawn = value;
    stale = false;
  } catch {
    drawn = value;
    stale = false;
    plot.textContent = 'The chart could not be drawn: the program did not answer. Is it still running?';
  } finally { drawing = false; }
  draw();  // another figure may have come meanwhile
}

async function show(value) {
  const plotly = await fetchPlotly(), {data, layout} = coloured(JSON.parse(value));
  await plotly.react(plot, data, {...layout, shapes: [...(layout.shapes ?? []), ...marks(data)]}, CONFIG);
  if (!listening) listen();
}

function listen() {
  listening = true;
  const named = event => event.points?.map(point => point.customdata).find(path => typeof path === 'string' && path);
  plot.on('plotly_click', event => {
    const path = named(event);
    if (!path) return;
    trigger('point', {point: path});  // Gradio takes what is called path for a file
    document.dispatchEvent(new CustomEvent('explorer:point', {detail: {path}}));
  });
  plot.on('plotly_hover', event => plot.classList.toggle('points', Boolean(named(event))));
  plot.on('plotly_unhover', () => plot.classList.remove('points'));
}

watch('value', draw);
new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; draw(); }).observe(figure);
new ResizeObserver(() => { if (drawn && plot.offsetParent) window.Plotly.Plots.resize(plot); }).observe(plot);
const repaint = () => { stale = true; draw(); };
let dark = document.body.classList.contains('dark');
new MutationObserver(() => {
  if (document.body.classList.contains('dark') !== dark) { dark = !dark; repaint(); }
}).observe(document.body, {attributeFilter: ['class']});
window.addEventListener('explorer:selected', e => { if (e.detail !== selected) { selected = e.detail; repaint(); } });
