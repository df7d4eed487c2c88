import assert from 'node:assert/strict';
import {test} from 'node:test';
import {filterTerms} from '../../../explorer/ui/glossary/filter.js';

const TERMS = [
  {names: 'skip connection\nshortcut', text: 'skip connection shortcut a path past the layers'},
  {names: 'projection shortcut\nprojection', text: 'projection shortcut projection a shortcut with a 1×1 convolution'},
  {names: '1×1 convolution\npointwise', text: '1×1 convolution pointwise mixes channels'},
];

test('without a search all terms stay in their order', () => {
  assert.deepEqual(filterTerms('  ', TERMS), [0, 1, 2]);
});

test('every word must be there, and own names come first', () => {
  assert.deepEqual(filterTerms('shortcut', TERMS), [0, 1]);
  assert.deepEqual(filterTerms('Projection', TERMS), [1]);
  assert.deepEqual(filterTerms('convolution', TERMS), [2, 1]);
  assert.deepEqual(filterTerms('skip channels', TERMS), []);
});

test('no keyboard has the × of 1×1', () => {
  assert.deepEqual(filterTerms('1x1', TERMS), [2, 1]);
  assert.deepEqual(filterTerms('1×1 convolution', TERMS), [2, 1]);
});
