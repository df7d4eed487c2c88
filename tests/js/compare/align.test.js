import assert from 'node:assert/strict';
import {test} from 'node:test';

import {anchorsOf, commonView, mapHeight, pivot} from '../../../explorer/ui/compare/align.js';

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

// Two drawings of different form: the main path of the first is at its left, that of the second in the middle.
const DRAWINGS = [
  {box: [0, 0, 400, 1000], spine: 100},
  {box: [-50, 0, 300, 3000], spine: 100},
];

/** How far a view reaches to both sides of the first drawing's main path. */
const reach = ([left, , width]) => [DRAWINGS[0].spine - left, left + width - DRAWINGS[0].spine];

test('a common view is as wide as both drawings with one main path over the other', () => {
  const view = commonView(DRAWINGS, {width: 200, height: 100}, false);
  assert.deepEqual(reach(view), [150, 300]);
  assert.equal(view[3] / view[2], 100 / 200);
});

test('a common view does not enlarge small drawings by more than 1.15', () => {
  const [, , width] = commonView(DRAWINGS, {width: 1150, height: 575}, false);
  assert.equal(Math.round(width), 1000);
});

test('a common view of the entire drawings is as tall as the tallest, around the middle of the first', () => {
  const [, top, , height] = commonView(DRAWINGS, {width: 200, height: 100}, true);
  assert.deepEqual([top, height], [-1000, 3000]);
});

test('the common view of one drawing has its main path where the drawing is in the middle', () => {
  const [left, , width] = commonView([DRAWINGS[0]], {width: 200, height: 100}, false);
  assert.deepEqual([left, width], [0, 400]);
});

test('both drawings begin together at the top, end together at the bottom, and are even between', () => {
  const whole = [0, 100, 50, 1000];
  assert.equal(pivot([0, 100, 50, 200], whole), 100);
  assert.equal(pivot([0, 92, 50, 200], whole), 92, 'above the drawing too');
  assert.equal(pivot([0, 500, 50, 200], whole), 600);
  assert.equal(pivot([0, 900, 50, 200], whole), 1100);
  assert.equal(pivot([0, 0, 50, 1200], whole), 600, 'a view of the entire drawing leads by its middle');
});
