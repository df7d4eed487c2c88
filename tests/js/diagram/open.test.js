import assert from 'node:assert/strict';
import {test} from 'node:test';

import {folded, innermost, toggled} from '../../../explorer/ui/diagram/open.js';

test('a stage that is folded takes its blocks along', () => {
  assert.deepEqual(folded(['layer1', 'layer1.0', 'layer1.1-2', 'layer10', 'stem'], 'layer1'), ['layer10', 'stem']);
});

test('a block that is folded leaves the others open', () => {
  assert.deepEqual(folded(['layer1', 'layer1.0', 'layer1.1'], 'layer1.0'), ['layer1', 'layer1.1']);
});

test('folding what is not open changes nothing', () => {
  assert.deepEqual(folded(['layer1'], 'layer2'), ['layer1']);
});

test('the innermost open block is the one with the longest name around the box', () => {
  const open = ['layer1', 'layer1.0', 'layer2'];
  assert.equal(innermost(open, 'layer1.0.conv1'), 'layer1.0');
  assert.equal(innermost(open, 'layer1.1'), 'layer1');
  assert.equal(innermost(open, 'layer1.0:add'), 'layer1.0');
});

test('a box is not around itself, and layer1 is not around layer10', () => {
  assert.equal(innermost(['layer1'], 'layer1'), undefined);
  assert.equal(innermost(['layer1'], 'layer10.0'), undefined);
});

test('a click opens a box that can open, and folds a frame', () => {
  assert.deepEqual(toggled(['stem'], 'layer1', true), {open: ['stem', 'layer1'], becomes: 'group:layer1'});
  assert.deepEqual(toggled(['stem', 'layer1', 'layer1.0'], 'group:layer1', true), {open: ['stem'], becomes: 'layer1'});
  assert.equal(toggled([], 'layer1.0.conv1', false), null);
});
