import assert from 'node:assert/strict';
import {test} from 'node:test';

import {arrive, EMPTY, go} from '../../../explorer/ui/history/past.js';

/** The past after these networks arrived one after another. */
const pastOf = (...queries) => queries.reduce((past, query) => arrive(past, query).past, EMPTY);

/** The past after a step whose network has arrived. */
const walk = (past, step) => {
  const next = go(past, step);
  return arrive(next, next.pending.query).past;
};

test('networks are remembered in order, and the last one is shown', () => {
  assert.deepEqual(pastOf('a', 'b', 'c'), {queries: ['a', 'b', 'c'], place: 2, pending: null});
});

test('the network that is shown already is not remembered twice', () => {
  assert.deepEqual(pastOf('a', 'b', 'b').queries, ['a', 'b']);
});

test('a step back shows the network before, and says so when it has arrived', () => {
  const next = go(pastOf('a', 'b'), -1);
  assert.deepEqual(next, {queries: ['a', 'b'], place: 0, pending: {query: 'a', message: 'Undone.'}});
  const {past, message} = arrive(next, 'a');
  assert.deepEqual([past, message], [{queries: ['a', 'b'], place: 0, pending: null}, 'Undone.']);
});

test('a step forth takes a step back again', () => {
  const next = go(walk(pastOf('a', 'b'), -1), 1);
  assert.deepEqual([next.place, next.pending], [1, {query: 'b', message: 'Redone.'}]);
});

test('there is no step before the first network or after the last', () => {
  assert.equal(go(EMPTY, -1), null);
  assert.equal(go(pastOf('a'), -1), null);
  assert.equal(go(pastOf('a'), 1), null);
});

test('a new network replaces those that were undone', () => {
  const past = walk(walk(pastOf('a', 'b', 'c'), -1), -1);
  assert.deepEqual(arrive(past, 'd').past, {queries: ['a', 'd'], place: 1, pending: null});
});

test('a network that arrives between two quick steps changes nothing: the second one is pending', () => {
  const next = go(go(pastOf('a', 'b', 'c'), -1), -1);
  const between = arrive(next, 'b');
  assert.deepEqual([between.past, between.message], [next, '']);
  assert.equal(arrive(between.past, 'a').message, 'Undone.');
});

test('an unknown network that arrives while another one is pending is remembered, and the other stays pending', () => {
  const pending = {query: 'fixed', message: 'The shortcut is added.'};
  const {past, message} = arrive({...pastOf('a'), pending}, 'b');
  assert.deepEqual([past, message], [{queries: ['a', 'b'], place: 1, pending}, '']);
});

test('a past is not changed in place', () => {
  const past = Object.freeze({...pastOf('a', 'b'), queries: Object.freeze(['a', 'b'])});
  go(past, -1);
  arrive(past, 'c');
  assert.deepEqual(past.queries, ['a', 'b']);
});
