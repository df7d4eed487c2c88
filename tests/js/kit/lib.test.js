import assert from 'node:assert/strict';
import {test} from 'node:test';

import '../support/page.js';

import {emit, latest, on, withNetwork} from '../../../explorer/ui/kit/lib.js';

test("a network's query keeps the other words of the address and drops the old network", () => {
  const query = withNetwork('preset=resnet50', '?preset=resnet18&at=layer1.0&tab=compare&unknown=1');
  assert.equal(query.toString(), 'preset=resnet50&at=layer1.0&tab=compare');
});

test('only the latest turn counts', () => {
  const begin = latest();
  const first = begin();
  assert.equal(first(), true);
  const second = begin();
  assert.deepEqual([first(), second()], [false, true]);
});

test('an event reaches every listener with its detail', () => {
  const heard = [];
  on('select', id => heard.push(['a', id]));
  on('select', id => heard.push(['b', id]));
  emit('select', 'layer1');
  assert.deepEqual(heard, [
    ['a', 'layer1'],
    ['b', 'layer1'],
  ]);
});

test('a listener goes with its element', () => {
  const heard = [];
  const host = {isConnected: true};
  on('photos', files => heard.push(files), host);
  emit('photos', ['first']);
  host.isConnected = false;
  emit('photos', ['second']);
  assert.deepEqual(heard, [['first']]);
});

test('an event that is not in the list is refused by its name', () => {
  assert.throws(() => emit('slect'), /slect/);
  assert.throws(() => on('slect', () => {}), /slect/);
});
