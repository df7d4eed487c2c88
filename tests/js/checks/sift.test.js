import assert from 'node:assert/strict';
import {test} from 'node:test';

import {countInWords, sift} from '../../../explorer/ui/checks/sift.js';

const ROWS = [
  {text: 'layer1.0:add 64×56×56', fits: true},
  {text: 'layer2.0:add 64 vs 128 channels', fits: false},
  {text: 'Layer2.1:add 128×28×28', fits: true},
];

test('without a filter every row is visible', () => {
  assert.deepEqual(sift(ROWS, '', false), [true, true, true]);
  assert.deepEqual(sift(ROWS, '  ', false), [true, true, true]);
});

test('a row must contain the text, in any case and without the spaces around it', () => {
  assert.deepEqual(sift(ROWS, ' LAYER2 ', false), [false, true, true]);
  assert.deepEqual(sift(ROWS, 'layer3', false), [false, false, false]);
});

test('only mismatches are visible if they are wanted, and the text counts too', () => {
  assert.deepEqual(sift(ROWS, '', true), [false, true, false]);
  assert.deepEqual(sift(ROWS, 'layer1', true), [false, false, false]);
});

test('the visible rows are counted among all; without rows there is no count', () => {
  assert.equal(countInWords([true, false, true]), '2 of 3');
  assert.equal(countInWords([false]), '0 of 1');
  assert.equal(countInWords([]), '');
});
