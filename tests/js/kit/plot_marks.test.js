import assert from 'node:assert/strict';
import {test} from 'node:test';

import {belongs, marksOf} from '../../../explorer/ui/kit/plot_marks.js';

const PATHS = ['conv1', 'layer1.0.conv1', 'layer1.1.conv1', 'layer1.2.conv1', 'layer1.10.conv1', 'layer2.0.conv1'];

test('a box has its own layers and those below it', () => {
  assert.deepEqual(PATHS.filter(belongs('layer1.1')), ['layer1.1.conv1']);
  assert.deepEqual(PATHS.filter(belongs('conv1')), ['conv1']);
  assert.deepEqual(PATHS.filter(belongs('layer2.0:add')), ['layer2.0.conv1']);
});

test('a run of blocks has the layers of every block in it', () => {
  assert.deepEqual(PATHS.filter(belongs('layer1.1-2')), ['layer1.1.conv1', 'layer1.2.conv1']);
});

test('the band reaches half a step beyond the first and last point', () => {
  const data = [{customdata: PATHS, x: [0, 1, 2, 3, 4, 5]}, {x: [0, 5]}];
  const [band, ...more] = marksOf(data, 'layer1.1-2', 'green');
  assert.deepEqual([band.x0, band.x1, band.fillcolor, more.length], [1.5, 3.5, 'green', 0]);
});

test('what has no points of its own is marked at its block', () => {
  const data = [{customdata: PATHS, x: [0, 1, 2, 3, 4, 5]}];
  const [band] = marksOf(data, 'layer2.0.relu', 'green');
  assert.deepEqual([band.x0, band.x1], [4.5, 5.5]);
});

test('nothing selected, or nothing found, marks nothing', () => {
  const data = [{customdata: PATHS, x: [0, 1, 2, 3, 4, 5]}];
  assert.deepEqual(marksOf(data, null, 'green'), []);
  assert.deepEqual(marksOf(data, 'fc', 'green'), []);
});
