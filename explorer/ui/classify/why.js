// Why: what is chosen here of one photo and one network decides what is shown. Each part asks for what it lacks. Blocks
// and layers chosen here are selected in the diagram while it shows the same network, and the reverse.
import {ask, emit, get, on, whenVisible} from '../kit/lib.js';
import {follower} from './follower.js';
import {blockTable} from './why_blocks.js';
import {contributions} from './why_contributions.js';
import {blockOf, resolve, shownLayer} from './why_layers.js';
import {photoOverlay} from './why_photo.js';

const MOST_MAPS = 16; // without "Show all"

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, trigger, watch}) {
  const host = element.querySelector('.rx-why');
  const part = name => host.querySelector(`.rx-why-${name}`);
  const button = name => host.querySelector(`button[data-do=${name}]`);
  const classes = host.querySelector('select.rx-why-class');
  const paths = host.querySelector('select.rx-why-layer');
  const body = part('body');
  const says = part('says');
  const empty = says.textContent;
  /** @type {Record<string, string> | null} */
  let photo = null;
  /** What the program says of the photo and its network. @type {any} */
  let net = null;
  let query = ''; // of the network before
  let block = ''; // that is chosen; '' until a network is there
  let layer = ''; // of that block; '' until a network is there
  let all = false; // whether every channel is shown
  let seen = false; // whether the panel is looked at

  const isLinked = () => net !== null && get('drawn') === net.query;
  const index = () => Number(classes.value);
  const table = blockTable(host, {choose, switched: refresh});
  const overlay = photoOverlay(host, refresh);
  const added = contributions(host, table, action => {
    props.value = JSON.stringify(action);
    trigger('input');
  });

  async function question(name, request) {
    body.setAttribute('aria-busy', 'true');
    const answer = await ask(server, name, request);
    body.removeAttribute('aria-busy');
    return answer;
  }
  const following = (name, want, show) => follower(want, request => question(name, request), show);
  /** A request about the photo, once there is something to show. */
  const about = more => (net && seen ? {...photo, ...more()} : null);

  const look = following('describe_network', () => seen && photo, showNetwork);
  const parts = [
    following(
      'draw_heat',
      () => about(() => ({layer: shownLayer(net.layers, block), class: index()})),
      answer => {
        part('words').textContent = answer.error ?? answer.words;
        overlay.setHeat(answer.image ?? '');
      },
    ),
    following('draw_maps', () => about(() => ({layer, all, at: overlay.place})), showMaps),
    following(
      'answer_without',
      () => about(() => ({off: table.off()})),
      answer => {
        if (answer.error) part('answers').textContent = answer.error;
        else part('answers').innerHTML = answer.html;
      },
    ),
  ];

  function showNetwork(answer) {
    says.textContent = answer.error ?? answer.plain;
    says.hidden = !says.textContent;
    body.hidden = Boolean(answer.error);
    if (answer.error) return;
    net = answer;
    if (net.query !== query) {
      table.reset();
      block = layer = '';
    }
    query = net.query;
    overlay.show(net.photo, net.place);
    classes.replaceChildren(...net.classes.map(([place, name]) => new Option(name, place)));
    table.show(net.blocks, net.switchable);
    part('apply').dataset.apply = `?${net.query}`;
    part('apply').dataset.done = `The builder shows ${net.title}.`;
    const selected = resolve(net.layers, isLinked() ? get('selected') : null);
    choose(layer || (selected ?? Object.keys(net.layers).at(-1)), false);
    measure();
  }

  function showMaps(answer) {
    part('about').textContent = answer.error ?? answer.words;
    part('grid').innerHTML = answer.html ?? '';
    button('all').textContent = all ? 'Show the strongest' : `Show all ${answer.channels ?? ''}`;
    button('all').hidden = answer.channels <= MOST_MAPS;
    overlay.lay(null);
  }

  function measure() {
    added.reset({photo, net, index: index(), name: classes.selectedOptions[0].text});
  }

  /** Choose a block or a layer. */
  function choose(name, tell = true) {
    const owner = net ? blockOf(net.layers, name) : undefined;
    if (owner === undefined) return;
    block = owner;
    layer = shownLayer(net.layers, name);
    overlay.lay(null);
    refresh();
    if (tell && isLinked()) emit('select', name);
  }

  function paint() {
    if (!net) return;
    table.paint(block);
    const optionOf = path => new Option(path === block ? `${path}, its output` : path, path, false, path === layer);
    paths.replaceChildren(...net.layers[block].map(optionOf));
    button('find').hidden = !isLinked();
    button('find').textContent = `Find ${layer} in the diagram`;
    part('apply').hidden = isLinked();
    button('anywhere').hidden = !overlay.place;
  }

  function refresh() {
    paint();
    parts.forEach(follow => follow());
  }

  const DOES = {
    all: () => {
      all = !all;
      button('all').setAttribute('aria-pressed', String(all));
      refresh();
    },
    anywhere: () => overlay.put(null),
    find: () => {
      emit('tab', 'Architecture');
      emit('select', layer);
    },
  };
  host.addEventListener('click', e => {
    DOES[e.target.dataset.do]?.();
    const map = e.target.closest('[data-channel]');
    if (map) overlay.lay(map === overlay.channel ? null : map);
  });
  paths.addEventListener('change', () => choose(paths.value));
  classes.addEventListener('change', () => {
    measure();
    overlay.lay(null);
    refresh();
  });

  function followPhoto(next) {
    net = null;
    added.forget();
    look.forget();
    // The builder's network counts only for a model file, whose weights don't say everything.
    photo = next && {...next, network: next.variant.includes(':') ? next.network : ''};
    if (photo) {
      look();
      return;
    }
    says.textContent = empty;
    says.hidden = false;
    body.hidden = true;
  }
  on('photo', followPhoto, host);
  on(
    'selected',
    id => {
      const name = isLinked() ? resolve(net.layers, id) : null;
      if (name && name !== layer && name !== block) choose(name, false);
    },
    host,
  );
  on('drawn', paint, host);
  watch('contributions', () => added.show(JSON.parse(props.contributions || '{}')));
  whenVisible(host, visible => {
    seen = visible;
    look();
    refresh();
  });
  followPhoto(get('photo'));
}
