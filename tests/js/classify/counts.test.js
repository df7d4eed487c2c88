// Counts in words.
import assert from 'node:assert/strict';
import test from 'node:test';
import {countsInWords, failuresInWords} from '../../../explorer/ui/classify/counts.js';

test('the most frequent class comes first', () => {
  assert.equal(countsInWords({dog: 1, cat: 3}), 'cat 3, dog 1.');
});

test('no photo has no words', () => {
  assert.equal(countsInWords({}), '');
});

test('after six classes the others are counted', () => {
  const counts = Object.fromEntries([...'abcdefgh'].map((name, place) => [name, 9 - place]));
  assert.equal(countsInWords(counts), 'a 9, b 8, c 7, d 6, e 5, f 4 and 2 other classes.');
});

test('failures point to their rows', () => {
  assert.equal(failuresInWords(0), '');
  assert.equal(failuresInWords(1), '1 could not be read: its row says why');
  assert.equal(failuresInWords(2), '2 could not be read: their rows say why');
});
