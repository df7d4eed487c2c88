import assert from 'node:assert/strict';
import {test} from 'node:test';

import {compareKeys} from '../../../explorer/ui/kit/sorting.js';

const sorted = keys => [...keys].sort(compareKeys);

test('numbers sort by value, not by their digits', () => {
  assert.deepEqual(sorted(['10', '9', '-1.5', '1e3', '0']), ['-1.5', '0', '9', '10', '1e3']);
});

test('words sort by the alphabet, whatever their case', () => {
  assert.deepEqual(sorted(['stem', 'Layer', 'fc']), ['fc', 'Layer', 'stem']);
});

test('equal keys keep their order: the result is 0', () => {
  assert.equal(compareKeys('2', '2.0'), 0);
  assert.equal(compareKeys('fc', 'fc'), 0);
});

test('a number beside a word is a word', () => {
  assert.deepEqual(sorted(['layer1', '2']), ['2', 'layer1']);
});
