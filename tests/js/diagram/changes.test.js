import assert from 'node:assert/strict';
import {test} from 'node:test';
import '../support/page.js';
import {changedIds} from '../../../explorer/ui/diagram/changes.js';

const boxes = entries => new Map(Object.entries(entries));

test('a box that is new or says something else has changed', () => {
  const before = boxes({input: '3', stem: '64', 'layer1.0': '64', gone: '1'});
  const after = boxes({input: '3', stem: '64', 'layer1.0': '128', 'layer1.1': '128'});
  assert.deepEqual(changedIds(before, after), ['layer1.0', 'layer1.1']);
  assert.deepEqual(changedIds(after, after), []);
});

test('nothing is marked where nothing stayed', () => {
  assert.deepEqual(changedIds(boxes({}), boxes({input: '3', stem: '64'})), []);
  assert.deepEqual(changedIds(boxes({input: '1'}), boxes({input: '3', stem: '64'})), []);
});
