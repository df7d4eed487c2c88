// A chart: its figure is the component's value, as JSON. Plotly.react keeps zoom and the legend's choices while the
// figure's uirevision stays. A chart is drawn when it becomes visible; the first one fetches plotly.js for all.
import {emit, get, on, url, whenVisible} from './lib.js';
import {marksOf} from './plot_marks.js';
import {detachFromAddress} from './plot_urls.js';

// Nothing is sent anywhere: by default plotly.js has a button that sends the figure to its makers' server.
const CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  plotlyServerURL: '',
  showTips: false,
  responsive: false,
  modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'],
};
const FAILED = 'The chart could not be drawn: no response from the server. Is it still running?';

/** @type {Promise<Plotly> | null} */
let plotly = null;

/** plotly.js, fetched once for all charts. @param {string} source @returns {Promise<Plotly>} */
function fetchPlotly(source) {
  plotly ??= new Promise((done, fail) => {
    const tag = document.createElement('script');
    tag.src = url(source);
    tag.onload = () => done(window.Plotly);
    tag.onerror = () => {
      plotly = null;
      tag.remove();
      fail(new Error('no script'));
    };
    document.head.append(tag);
  });
  return plotly;
}

/** @param {import('./lib.js').Mount} mount */
export function mount({element, props, trigger, watch, settings: {source}}) {
  const figure = element.querySelector('.rx-chart'),
    plot = /** @type {PlotElement} */ (figure.querySelector('.rx-plot'));
  let drawn = '',
    stale = true,
    isVisible = false,
    drawing = false,
    listening = false;
  let selected = get('selected'),
    dark = document.body.classList.contains('dark');
  const colour = name => getComputedStyle(element).getPropertyValue(`--rx-${name}`).trim();

  // Text and the hover box take the page's colours; lines have the same colours in light and dark mode.
  function coloured(layout) {
    const muted = colour('muted'),
      text = colour('text');
    const hoverlabel = {
      ...layout.hoverlabel,
      bgcolor: text,
      bordercolor: text,
      font: {...layout.hoverlabel?.font, color: colour('page')},
    };
    return {
      ...layout,
      hoverlabel,
      autosize: true,
      height: undefined,
      width: undefined,
      font: {...layout.font, color: muted},
      modebar: {...layout.modebar, color: muted, activecolor: text},
      annotations: (layout.annotations ?? []).map(note => ({...note, font: {...note.font, color: muted}})),
    };
  }

  async function draw() {
    const value = props.value ?? '';
    figure.classList.toggle('filled', Boolean(value));
    if (!isVisible || drawing || !(stale || value !== drawn)) return;
    drawing = true;
    try {
      if (value) {
        await show(value);
      } else if (drawn) {
        (await plotly)?.purge(plot);
        listening = false;
      }
    } catch {
      plot.textContent = FAILED;
    }
    drawn = value;
    stale = false;
    drawing = false;
    draw(); // another figure may have arrived meanwhile
  }

  async function show(value) {
    const {react} = await fetchPlotly(source),
      {data, layout} = JSON.parse(value);
    const shapes = [...(layout.shapes ?? []), ...marksOf(data, selected, colour('identity'))];
    await react(plot, data, {...coloured(layout), shapes}, CONFIG);
    detachFromAddress(plot);
    if (!listening) listen();
  }

  function listen() {
    listening = true;
    const pathOf = event =>
      event.points?.map(({customdata}) => customdata).find(path => path && typeof path === 'string');
    plot.on('plotly_click', event => {
      const path = pathOf(event);
      if (!path) return;
      trigger('point', {point: path}); // Gradio reads a value named path as a file
      emit('select', path);
    });
    plot.on('plotly_afterplot', () => detachFromAddress(plot)); // after a zoom, for example
    plot.on('plotly_hover', event => plot.classList.toggle('points', Boolean(pathOf(event))));
    plot.on('plotly_unhover', () => plot.classList.remove('points'));
  }

  function repaint() {
    stale = true;
    draw();
  }

  watch('value', draw);
  whenVisible(figure, visible => {
    isVisible = visible;
    draw();
  });
  new ResizeObserver(() => {
    if (drawn && plot.offsetParent) window.Plotly.Plots.resize(plot);
  }).observe(plot);
  new MutationObserver(() => {
    if (document.body.classList.contains('dark') === dark) return;
    dark = !dark;
    repaint();
  }).observe(document.body, {attributeFilter: ['class']});
  on(
    'selected',
    id => {
      if (id === selected) return;
      selected = id;
      repaint();
    },
    element,
  );
}
