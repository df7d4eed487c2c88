import assert from 'node:assert/strict';
import {test} from 'node:test';

import {fold, innermost, toggle} from '../../../explorer/ui/diagram/open.js';

test('a stage that is folded takes its blocks along', () => {
  assert.deepEqual(fold(['layer1', 'layer1.0', 'layer1.1-2', 'layer10', 'stem'], 'layer1'), ['layer10', 'stem']);
});

test('a block that is folded leaves the others open', () => {
  assert.deepEqual(fold(['layer1', 'layer1.0', 'layer1.1'], 'layer1.0'), ['layer1', 'layer1.1']);
});

test('folding what is not open changes nothing', () => {
  assert.deepEqual(fold(['layer1'], 'layer2'), ['layer1']);
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

test('layer3.1 is not around layer3.10, its boxes, or a run of it', () => {
  const open = ['layer3', 'layer3.1'];
  for (const id of ['layer3.10', 'layer3.10.conv1', 'layer3.10:add', 'layer3.1-5', 'layer3.10-22'])
    assert.equal(innermost(open, id), 'layer3', id);
});

test("a block is around its layers, shortcut and addition, and its stage's own operations are in the stage", () => {
  const open = ['layer3', 'layer3.1'];
  for (const id of ['layer3.1.conv1', 'layer3.1.downsample.0', 'layer3.1:shortcut', 'layer3.1:add', 'layer3.1.relu~2'])
    assert.equal(innermost(open, id), 'layer3.1', id);
  assert.equal(innermost(open, 'layer3:add'), 'layer3');
});

test('a run is around its blocks, and a block that is open in it is further inside', () => {
  const open = ['layer3', 'layer3.9-12', 'layer3.10'];
  for (const id of ['layer3.9', 'layer3.12', 'layer3.11:shortcut', 'layer3.12.conv1', 'layer3.10'])
    assert.equal(innermost(open, id), 'layer3.9-12', id);
  assert.equal(innermost(open, 'layer3.10.conv1'), 'layer3.10');
  for (const id of ['layer3.8', 'layer3.13.conv1', 'layer3.1:add']) assert.equal(innermost(open, id), 'layer3', id);
  assert.equal(innermost(['layer3.1-5', 'layer3.1'], 'layer3.1.conv1'), 'layer3.1');
});

test('a click opens a box that can open, and folds a frame', () => {
  assert.deepEqual(toggle(['stem'], 'layer1', true), {open: ['stem', 'layer1'], becomes: 'group:layer1'});
  assert.deepEqual(toggle(['stem', 'layer1', 'layer1.0'], 'group:layer1', true), {open: ['stem'], becomes: 'layer1'});
  assert.equal(toggle([], 'layer1.0.conv1', false), null);
});
