// What a name of the diagram means for a network's blocks and layers.
import assert from 'node:assert/strict';
import test from 'node:test';
import {blockOf, blocksOf, resolve, shownLayer} from '../../../explorer/ui/classify/why_layers.js';

const LAYERS = {
  stem: ['conv1', 'maxpool'],
  'layer1.0': ['layer1.0.conv1', 'layer1.0'],
  'layer1.1': ['layer1.1.conv1', 'layer1.1'],
  'layer2.0': ['layer2.0.conv1', 'layer2.0'],
};

for (const [id, meant, why] of [
  ['layer1.0', 'layer1.0', 'a block is itself'],
  ['layer1.0.conv1', 'layer1.0.conv1', 'a layer is itself'],
  ['stem', 'stem', 'the stem is itself'],
  ['group:layer1.0', 'layer1.0', 'an open block is its block'],
  ['layer1.0:add', 'layer1.0', 'an addition is its block'],
  ['layer1.0-1', 'layer1.0', 'a run of blocks is its first'],
  ['layer1', 'layer1.1', 'a stage is its last block'],
  ['group:layer1', 'layer1.1', 'an open stage is its last block'],
  ['layer2.0.bn1', 'layer2.0', 'a layer without maps is its block'],
  ['fc', null, 'the head is none'],
  ['', null, 'nothing is none'],
  [null, null, 'no selection is none'],
]) {
  test(`${why}: ${id}`, () => assert.equal(resolve(LAYERS, id), meant));
}

test('a layer belongs to its block', () => {
  assert.equal(blockOf(LAYERS, 'layer1.1.conv1'), 'layer1.1');
  assert.equal(blockOf(LAYERS, 'layer1.1'), 'layer1.1');
  assert.equal(blockOf(LAYERS, 'conv1'), 'stem');
  assert.equal(blockOf(LAYERS, 'fc'), undefined);
});

test('the stem shows its last layer', () => {
  assert.equal(shownLayer(LAYERS, 'stem'), 'maxpool');
  assert.equal(shownLayer(LAYERS, 'layer1.0'), 'layer1.0');
});

test('a stage has the blocks of its number, not of a longer one', () => {
  assert.deepEqual(blocksOf(['layer1.0', 'layer1.1', 'layer10.0'], 'layer1'), ['layer1.0', 'layer1.1']);
});
