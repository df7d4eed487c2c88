import assert from 'node:assert/strict';
import {test} from 'node:test';

import {anchorsOf, mapHeight} from '../../../explorer/ui/compare/align.js';

const ANCHORS = [
  [0, 100],
  [10, 200],
  [20, 220],
];

test('an anchor maps to its counterpart, in both directions', () => {
  for (const [left, right] of ANCHORS) {
    assert.equal(mapHeight(left, 0, ANCHORS), right);
    assert.equal(mapHeight(right, 1, ANCHORS), left);
  }
});

test('between two anchors the map is linear', () => {
  assert.equal(mapHeight(5, 0, ANCHORS), 150);
  assert.equal(mapHeight(15, 0, ANCHORS), 210);
  assert.equal(mapHeight(150, 1, ANCHORS), 5);
});

test('beyond the first and last anchor distances stay', () => {
  assert.equal(mapHeight(-30, 0, ANCHORS), 70);
  assert.equal(mapHeight(25, 0, ANCHORS), 225);
  assert.equal(mapHeight(225, 1, ANCHORS), 25);
});

test('without anchors both diagrams share their heights', () => {
  assert.equal(mapHeight(42, 0, []), 42);
});

test('anchors rise on both sides: pairs that cross are left out', () => {
  const pairs = [
    [10, 5],
    [0, 0],
    [20, 4],
    [30, 30],
    [30, 40],
  ];
  assert.deepEqual(anchorsOf(pairs), [
    [0, 0],
    [10, 5],
    [30, 30],
  ]);
});
