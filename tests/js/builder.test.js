import assert from 'node:assert/strict';
import {test} from 'node:test';

import './support/page.js';

import {fill} from '../../explorer/ui/builder.js';

const TABLES = {
  names: ['block', 'depths', 'widths', 'shortcut_overrides'],
  presets: {resnet50: ['bottleneck', '3, 4, 6, 3', '64, 128, 256, 512', '']},
  depths: {20: {repeats: [3, 3, 3], blocks: {basic: 'basic', bottleneck: 'basic'}}},
  asNetwork: 'as-network',
};
const FIELDS = ['bottleneck', '2, 2', '16, 32', 'layer1.0: none, layer3.0: A, layer2.7: B'];
const after = action => fill(action, FIELDS, TABLES);

test('a preset sets every field; an unknown one none', () => {
  assert.deepEqual(after({type: 'preset', name: 'resnet50'}), TABLES.presets.resnet50);
  assert.deepEqual(after({type: 'preset', name: 'resnet51'}), FIELDS);
});

test('a depth sets repeats and block, doubles the widths, and drops overrides of blocks that are gone', () => {
  assert.deepEqual(after({type: 'depth', depth: 20}), [
    'basic',
    '3, 3, 3',
    '16, 32, 64',
    'layer1.0: none, layer3.0: A',
  ]);
});

test('one field is set, the others stay', () => {
  assert.deepEqual(after({type: 'set', field: 'depths', value: '5, 5'}), [FIELDS[0], '5, 5', ...FIELDS.slice(2)]);
});

test("a block's own shortcut replaces the one it had; as the network's takes it away", () => {
  const overrides = mode => after({type: 'shortcut', blocks: ['layer1.0', 'layer2.7'], mode})[3];
  assert.equal(overrides('C'), 'layer3.0: A, layer1.0:C, layer2.7:C');
  assert.equal(overrides('as-network'), 'layer3.0: A');
});

test('Undo and fixes bring every field', () => {
  assert.deepEqual(after({type: 'fields', fields: ['a', 'b', 'c', 'd']}), ['a', 'b', 'c', 'd']);
});
